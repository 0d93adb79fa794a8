#!/usr/bin/env bash
# Writes the completion scripts of a program for bash, zsh and fish, under the names that the shells look for.
#   scripts/make-completions.sh PROGRAM FOLDER
set -euo pipefail
program=$1
folder=$2
mkdir -p "$folder"
"$program" --generate-completion-script bash >"$folder/mortise"
"$program" --generate-completion-script zsh >"$folder/_mortise"
"$program" --generate-completion-script fish >"$folder/mortise.fish"
echo "The completion scripts are in $folder."
