#!/bin/bash
# Tells danelaw of a certificate that an ACME client has just got, before it is deployed: a record
# that is missing is then known at once, and an alert names it. It deploys nothing; the hooks beside
# it do that when `danelaw gate` says yes.
#   certbot      renew --deploy-hook /usr/local/sbin/acme-foresee.sh
#   acme.sh      --issue … --renew-hook /usr/local/sbin/acme-foresee.sh
#   lego         renew --renew-hook /usr/local/sbin/acme-foresee.sh
#   dehydrated   HOOK=/usr/local/sbin/acme-foresee.sh
#   any other    acme-foresee.sh FULLCHAIN.pem
# DANELAW_URL and DANELAW_TOKEN_FILE say which agent, and how to log in.
#
# Exit status: that of `danelaw foresee`: 0 covered, 2 a record is missing, 3 could not be told, 1 refused. For dehydrated, which
# ends its run where a hook fails, always 0.
set -uo pipefail
PATH=$PATH:/usr/local/bin:/usr/bin

if [ -n "${RENEWED_LINEAGE:-}" ]; then # certbot
  chain=$RENEWED_LINEAGE/fullchain.pem
elif [ -n "${CERT_FULLCHAIN_PATH:-}" ]; then # acme.sh
  chain=$CERT_FULLCHAIN_PATH
elif [ -n "${LEGO_CERT_PATH:-}" ]; then # lego: the issuers are in it
  chain=$LEGO_CERT_PATH
elif [ "${1:-}" = deploy_cert ]; then # dehydrated: deploy_cert DOMAIN KEY CERT FULLCHAIN CHAIN
  chain=${5:-}
elif [ -f "${1:-}" ]; then
  chain=$1
else
  exit 0 # another step of dehydrated's
fi

danelaw foresee --by "${DANELAW_BY:-acme}" "$chain"
status=$?
[ "${1:-}" != deploy_cert ] || exit 0
exit "$status"
