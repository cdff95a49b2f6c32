set -u
reasons=$1
shift
pause=${WEIGHTS_PAUSE_SECONDS:-2}
most=${WEIGHTS_TRIES:-6}
scratch=${TMPDIR:-/tmp}
tell() { printf 'weights: %s\n' "$1" >&2; }
fail() {
  tell "$1"
  printf 'weights: %s' "$1" 2>/dev/null >"$reasons" || :
  exit 1
}
start_counting() {
  tries=0
  wait=$pause
}
again() {
  tries=$((tries + 1))
  [ "$tries" -lt "$most" ] || fail "network: $1, $tries times in a row"
  tell "$1; trying again in $wait s"
  sleep "$wait"
  wait=$((wait * 2))
}

said=$scratch/weights-said
saw() { grep -qiE "$1" "$said"; }
hf_step() {
  start_counting
  while :; do
    hf "$@" >"$said" 2>&1 && ! saw 'returning existing local_dir' && return
    ended=$?
    cat "$said" >&2
    if [ "$ended" -eq 126 ] || [ "$ended" -eq 127 ]; then
      fail "the image has no command hf; use another image, or weights from a volume"
    fi
    words=$(tr -d '\033' <"$said" | sed 's/\[[0-9;]*m//g' | grep -iE 'error' | tail -n 1 | cut -c 1-300)
    if saw 'no space left|errno 28|errno 27'; then
      fail "no disk space: $repository does not fit into $folder"
    elif saw 'checksum verification|verification failed|consistency check'; then
      differs
    elif saw '40[13] (client error|forbidden|unauthorized)|access denied|requires approval|repositorynotfounderror' ||
      saw 'error: (model|repository)[^.]* not found'; then
      fail "access refused (HTTP 401 or 403) to $repository: no licence, no token or no such repository"
    elif saw 'local ?entry ?not ?found'; then
      : # what it says when no hub answers
    elif saw "(revision|entry) ?not ?found|'404 not found'"; then
      fail "not found (HTTP 404): $revision of $repository"
    fi
    again "hf ended with $ended ($words)"
  done
}
differs() {
  rm -rf "$folder"
  fail "checksum differs: files of $repository are not what the hub states, and were removed"
}
check() {
  if hf cache verify --help >/dev/null 2>&1; then
    hf_step cache verify "$repository" --revision "$revision" --local-dir "$folder" --fail-on-missing-files
    return
  fi
  notes=$folder/.cache/huggingface/download
  find "$notes" -name '*.metadata' >"$said"
  while read -r note; do
    sum=$(sed -n 2p "$note")
    file=${note#"$notes/"}
    [ "${#sum}" -ne 64 ] || [ "$(sha256sum "$folder/${file%.metadata}" | cut -d ' ' -f 1)" = "$sum" ] || differs
  done <"$said"
}
while [ "$#" -ge 3 ]; do
  repository=$1 revision=$2 folder=$3
  shift 3
  mark=$folder.verified
  if [ "$(cat "$mark" 2>/dev/null)" = "$repository@$revision" ]; then
    tell "$repository is there"
    continue
  fi
  mkdir -p "$folder" || fail "no disk space: $folder cannot be made"
  tell "fetching $repository at $revision"
  hf_step download "$repository" --revision "$revision" --local-dir "$folder" --max-workers 8
  tell "checking $repository"
  check
  printf '%s' "$repository@$revision" >"$mark"
done
tell "all files are there"
