/** What `keyloom-operator --help` prints. */
export const usage = `keyloom-operator: one member of a threshold key management committee

  keyloom-operator init --folder FOLDER --rpc URL [--rpc URL ...] --gateway ADDRESS
                        --host HOST --endpoint URL
                        [--p2p-port 9101] [--http-port 8080] [--metrics-port 9464] [--json]
      makes in FOLDER what an operator needs: configuration, identity, data directory, and
      registration.json for the owner, who runs "kms operator register" somewhere else.
      HOST is where other operators reach this machine, URL of --endpoint where users do.
      Asks at the terminal for what is not given, overwrites nothing, and completes a folder
      in which some of it is missing

  keyloom-operator start --config FILE
      runs the operator until SIGINT or SIGTERM

  keyloom-operator doctor --config FILE [--json]
      checks a configuration and what is around it, and says what to fix;
      the exit code is 1 if there is a problem

  keyloom-operator backup create --config FILE --to AGE_RECIPIENT [--to ...] --out FILE
  keyloom-operator backup verify --identity AGE_IDENTITY_FILE --in FILE
  keyloom-operator backup restore --identity AGE_IDENTITY_FILE --in FILE --into FOLDER
      keeps and restores identity, shares and journals, encrypted in the age format;
      create may run beside the operator. With --passphrase-file or KEYLOOM_PASSPHRASE
      the other two check as well that the passphrase opens the identity

The passphrase is read from --passphrase-file FILE, or else from KEYLOOM_PASSPHRASE, or else
asked for at the terminal.
docs/operator.md is the operator's guide.
`;
