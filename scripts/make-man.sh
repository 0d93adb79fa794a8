#!/usr/bin/env bash
# Writes the manual pages, one for each command, with the plugin of swift-argument-parser.
#   scripts/make-man.sh FOLDER
set -euo pipefail
folder=$1
"${SWIFT:-swift}" package generate-manual --multi-page >/dev/null
rm -rf "$folder"
mkdir -p "$folder"
cp .build/plugins/GenerateManual/outputs/mortise/*.1 "$folder"
echo "The manual pages are in $folder. To read one: man -l $folder/mortise.1"
