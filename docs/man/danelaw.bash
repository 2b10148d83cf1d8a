# bash completion for danelaw, made by docs/man/make; do not edit.
_danelaw() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
  COMPREPLY=()
  case "${COMP_WORDS[1]}:$before" in
    run:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    check:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    check:--resolver) return ;;
    check:--trust-anchor) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    check:--port) return ;;
    check:--format) words='text json nagios' ;;
    check:--timeout) return ;;
    check:--helo) return ;;
    check:--record) return ;;
    gate:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    gate:--host) return ;;
    tlsa:--host) return ;;
    tlsa:--port) return ;;
    tlsa:--ttl) return ;;
    backup:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    restore:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    report:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    report:--month) return ;;
    report:--from) return ;;
    report:--until) return ;;
    report:--group) return ;;
    report:--role) words='inbound outbound' ;;
    report:--format) words='text csv html json' ;;
    explain:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    explain:--trust-anchor) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    explain:--format) words='text json' ;;
    tlsrpt:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    partners:--since) return ;;
    partners:--least) return ;;
    maillog:--since) return ;;
    maillog:--config) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    maillog:--format) words='text json' ;;
    policy:--socket) return ;;
    foresee:--url) return ;;
    foresee:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    foresee:--ca-file) return ;;
    foresee:--format) words='text json' ;;
    foresee:--by) return ;;
    foresee:--not-for-mail) return ;;
    foresee:--for-mail) return ;;
    foresee:--comment) return ;;
    status:--url) return ;;
    status:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    status:--ca-file) return ;;
    status:--format) words='text json nagios' ;;
    alerts:--url) return ;;
    alerts:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    alerts:--ca-file) return ;;
    alerts:--format) words='text json' ;;
    silences:--url) return ;;
    silences:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    silences:--ca-file) return ;;
    silences:--format) words='text json' ;;
    ack:--url) return ;;
    ack:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    ack:--ca-file) return ;;
    ack:--format) words='text json' ;;
    ack:--comment) return ;;
    ack:--until) return ;;
    ack:--by) return ;;
    unack:--url) return ;;
    unack:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    unack:--ca-file) return ;;
    unack:--format) words='text json' ;;
    unack:--by) return ;;
    silence:--url) return ;;
    silence:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    silence:--ca-file) return ;;
    silence:--format) words='text json' ;;
    silence:--for) return ;;
    silence:--comment) return ;;
    silence:--expected-key) return ;;
    silence:--by) return ;;
    unsilence:--url) return ;;
    unsilence:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    unsilence:--ca-file) return ;;
    unsilence:--format) words='text json' ;;
    unsilence:--by) return ;;
    recheck:--url) return ;;
    recheck:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    recheck:--ca-file) return ;;
    recheck:--format) words='text json' ;;
    recheck:--by) return ;;
    notify-test:--url) return ;;
    notify-test:--token-file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    notify-test:--ca-file) return ;;
    notify-test:--format) words='text json' ;;
    notify-test:--by) return ;;
    *)
      case "$COMP_CWORD:${COMP_WORDS[1]}" in
        1:*) words='run check check-config gate tlsa backup restore replay report explain tlsrpt partners maillog policy foresee status alerts silences ack unack silence unsilence recheck notify-test -h --help --version' ;;
        *:run) words='-h --help --config' ;;
        *:check) words='-h --help --config --resolver --trust-anchor --port --format --allow-special-addresses --timeout --helo --record' ;;
        *:check-config) words='-h --help' ;;
        *:gate) words='-h --help --config --host' ;;
        *:tlsa) words='-h --help --host --port --ttl' ;;
        *:backup) words='-h --help --config' ;;
        *:restore) words='-h --help --config' ;;
        *:replay) words='-h --help' ;;
        *:report) words='-h --help --config --month --from --until --group --role --format' ;;
        *:explain) words='-h --help --config --trust-anchor --format' ;;
        *:tlsrpt) words='-h --help --config' ;;
        *:partners) words='-h --help --since --least' ;;
        *:maillog) words='-h --help --since --config --format' ;;
        *:policy) words='-h --help --socket' ;;
        *:foresee) words='-h --help --url --token-file --ca-file --format --by --not-for-mail --for-mail --comment' ;;
        *:status) words='-h --help --url --token-file --ca-file --format' ;;
        *:alerts) words='-h --help --url --token-file --ca-file --format --all' ;;
        *:silences) words='-h --help --url --token-file --ca-file --format' ;;
        *:ack) words='-h --help --url --token-file --ca-file --format --comment --until --by' ;;
        *:unack) words='-h --help --url --token-file --ca-file --format --by' ;;
        *:silence) words='-h --help --url --token-file --ca-file --format --for --comment --expected-key --by' ;;
        *:unsilence) words='-h --help --url --token-file --ca-file --format --by' ;;
        *:recheck) words='-h --help --url --token-file --ca-file --format --by' ;;
        *:notify-test) words='-h --help --url --token-file --ca-file --format --by' ;;
      esac
      ;;
  esac
  if [ "$words" ]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"); fi
}
complete -o default -F _danelaw danelaw
