#!/usr/bin/env bash
# Writes the manual pages, one for each command, with the plugin of swift-argument-parser. Their date is that of the newest commit, or
# SOURCE_DATE_EPOCH.
#   scripts/make-man.sh FOLDER
set -euo pipefail
folder=$1
date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
"${SWIFT:-swift}" package generate-manual --multi-page --date "$(date --utc --date="@$date" +%F)" >/dev/null
rm -rf "$folder"
mkdir -p "$folder"
cp .build/plugins/GenerateManual/outputs/mortise/*.1 "$folder"
echo "The manual pages are in $folder. To read one: man -l $folder/mortise.1"
