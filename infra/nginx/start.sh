#!/bin/sh
# Starts Nginx for the supervisor: start.sh <configuration> <folder of pid file and sockets>
# A master that was killed leaves its workers, which keep the ports, and its sockets' files. The supervisor gives
# each part a process group of its own, so what is left of the old master is in the group of its process id.
set -eu
configuration=$1
folder=$2
if [ -s "$folder/nginx.pid" ]; then
    pkill -QUIT -g "$(cat "$folder/nginx.pid")" nginx || true
fi
rm -f "$folder"/nginx.pid "$folder"/*.sock
exec nginx -c "$configuration" -e stderr
