#!/bin/sh
# The two requests by curl, as many a pipeline has them. A baseline; the tokens are in its arguments, so do not take it for more.
set -eu
answer=$(curl -sS --fail --noproxy '*' --cacert "$LAST9_CA_BUNDLE" -H 'Content-Type: application/json' \
    -d "{\"refresh_token\":\"$LAST9_REFRESH_TOKEN\"}" "$1/api/v4/oauth/access_token")
token=${answer#*\"access_token\": \"}
token=${token%%\"*}
curl -sS --fail --noproxy '*' --cacert "$LAST9_CA_BUNDLE" -X PUT -H 'Content-Type: application/json' -H "X-LAST9-API-TOKEN: Bearer $token" \
    -d '{"event_name":"deployment","event_state":"start","timestamp":"2026-11-24T10:00:00.000Z","attributes":{"service_name":"payments-api"}}' \
    "$1/api/v4/organizations/acme/change_events"
