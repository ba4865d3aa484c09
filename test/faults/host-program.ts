/**
 * A host in a process of its own: `node host-program.ts answer LISTEN` answers every question, and
 * `node host-program.ts ask PEER_ID ADDRESS` asks again and again and writes a line for each that says what
 * became of it. KEYLOOM_TEST_PEER_KEY is its key in hexadecimal.
 */
import process from 'node:process';

import { isNetError } from '../../workers/net/errors.ts';
import { answer, ask } from '../../workers/net/exchange/index.ts';
import { createHost } from '../../workers/net/host/index.ts';

const PROTOCOL = '/test/1';
const QUESTION = Uint8Array.of(1, 2, 3);
const ASK_MS = 5_000;
const PAUSE_MS = 200;

const [role, ...rest] = process.argv.slice(2);
const host = await createHost({
  privateKey: Buffer.from(process.env['KEYLOOM_TEST_PEER_KEY']!, 'hex'),
  listen: role === 'answer' ? rest : [],
  isAllowed: () => true,
});
if (role === 'answer') {
  await answer(host, PROTOCOL, QUESTION.length, async (_, question) => question);
  console.log('listening');
} else {
  const [peerId, multiaddr] = rest;
  host.setPeers([{ peerId, multiaddr }]);
  for (;;) {
    const signal = AbortSignal.timeout(ASK_MS);
    const outcome = await ask(host, peerId, PROTOCOL, QUESTION, { signal, maxBytes: 3 }).then(
      () => 'answered',
      (error: unknown) => (isNetError(error) ? error.code : String(error)),
    );
    console.log(`${outcome} ${host.connectedPeers().size}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
