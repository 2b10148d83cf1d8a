#!/bin/bash
# Puts a certificate that certbot renewed live at Postfix, but only when `danelaw gate` says yes.
# Put it into /etc/letsencrypt/renewal-hooks/deploy/, set `host`, and have a timer call it, too: what
# may not go live at the renewal goes live later.
#
# Postfix reads key and chain from one file, which is replaced in one step:
#   smtpd_tls_chain_files = /etc/postfix/mx.example.org.pem
#
# Exit status: 0 live, or waiting for its time; 2 a record is missing; 3 could not tell; 4 a file
# cannot be read or written, or the reload failed.
set -uo pipefail
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin

host=${DANELAW_HOST:-mx.example.org}
config=${DANELAW_CONFIG:-/etc/danelaw/danelaw.yaml}
lineage=${DANELAW_LINEAGE:-/etc/letsencrypt/live/$host}
target=${DANELAW_TARGET:-/etc/postfix/$host.pem}
reload=${DANELAW_RELOAD:-systemctl reload postfix}

# certbot calls the hook for every certificate.
[ "${RENEWED_LINEAGE:-$lineage}" = "$lineage" ] || exit 0

umask 077
staged=$(mktemp "$target.XXXXXX") || exit 4
trap 'rm -f "$staged"' EXIT
cat "$lineage/privkey.pem" "$lineage/fullchain.pem" >"$staged" || exit 4

if ! cmp -s "$staged" "$target"; then
  # The gate judges the very file that goes live.
  danelaw gate --config "$config" --host "$host" "$staged"
  case $? in
    0) ;;
    1)
      echo "$host: not yet; the old certificate stays"
      exit 0
      ;;
    2)
      echo "$host: publish the record above; the old certificate stays" >&2
      exit 2
      ;;
    *)
      echo "$host: the gate could not tell; the old certificate stays" >&2
      exit 3
      ;;
  esac
  touch "$target.reload" && mv "$staged" "$target" || exit 4
  echo "$host: the new certificate is in place"
fi

# A reload that failed is tried again at the next call.
[ -e "$target.reload" ] || exit 0
$reload || exit 4
rm "$target.reload"
