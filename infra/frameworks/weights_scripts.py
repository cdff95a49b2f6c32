"""What the init container `weights` runs: POSIX sh, with every value as an argument or a variable of the environment.

A download that fails ends with one line, also written where the kubelet reads a container's last words, so that the
control plane can say it. Its first words tell causes apart, and `infra/operate/diagnosis.py` knows them: `access
refused`, `not found`, `no disk space`, `checksum`, `network`. What is there and was verified is not fetched again: the
pod's volume outlives its containers.
"""

from __future__ import annotations

# $1: where the kubelet reads last words. Both scripts begin so.
_COMMON = r"""set -u
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
"""

# Groups of four: repository, revision, folder, file. For images with curl and without the hub's own command.
# Size and SHA-256 of a file are what the hub states in the headers of its redirect to the storage; curl sends the token
# to the hub alone.
FILES_SCRIPT = (
    _COMMON
    + r"""
hub=${HF_ENDPOINT:-https://huggingface.co}
case $hub in https://*) only='=https' ;; *) only='=http,https' ;; esac
token=$(printf '%s' "${HF_TOKEN:-}" | tr -cd 'A-Za-z0-9_.-')
heads=$scratch/weights-heads
said=$scratch/weights-said
# The token by a pipe, as arguments of a process can be read by others.
ask() {
  { [ -z "$token" ] || printf 'header = "Authorization: Bearer %s"\n' "$token"; } |
    curl -q --config - -sS --proto "$only" --connect-timeout 20 "$@" 2>"$said"
}
stated() { tr -d '\r"' <"$heads" | awk -v name="$1:" 'tolower($1) == name { value = $2 } END { print value }'; }
size() { wc -c 2>/dev/null <"$1" | tr -d ' ' | grep . || echo 0; }
refused() {
  case $1 in
    401 | 403) fail "access refused (HTTP $1) to $repository: no licence, no token or no such repository" ;;
    404) fail "not found (HTTP 404): $file at $revision of $repository" ;;
  esac
}
look() {
  url=$hub/$repository/resolve/$revision/$file
  hops=0
  start_counting
  while :; do
    code=$(ask -I --max-time 60 -D "$heads" -o /dev/null -w '%{http_code}' "$url")
    refused "$code"
    case $code in
      200 | 301 | 302 | 303 | 307 | 308)
        sum=$(stated x-linked-etag)
        to=$(stated location)
        [ -n "$sum" ] && return
        case $to in /*) ;; *) fail "checksum: the hub states none for $file of $repository" ;; esac
        hops=$((hops + 1))
        [ "$hops" -le 5 ] || fail "network: the hub sends from place to place"
        url=$hub$to
        ;;
      000) again "no answer from the hub ($(tail -n 1 "$said"))" ;;
      429 | 5??) again "the hub answers HTTP $code" ;;
      *) fail "network: the hub answers HTTP $code" ;;
    esac
  done
}
check() {
  tell "checking $file"
  real=$(sha256sum "$1" | cut -d ' ' -f 1)
  [ "$real" = "$sum" ] && return
  rm -f "$1"
  fail "checksum differs: $file is $real, the hub states $sum"
}
fetch() {
  target=$folder/$file
  part=$target.part
  mark=$target.verified
  if [ -f "$target" ] && [ "$(cat "$mark" 2>/dev/null)" = "$repository@$named $(size "$target")" ]; then
    tell "$file is there"
    return
  fi
  mkdir -p "$folder" || fail "no disk space: $folder cannot be made"
  look
  length=$(stated x-linked-size)
  commit=$(stated x-repo-commit)
  case $sum in *[!0-9a-f]*) sum= ;; esac
  case $length in *[!0-9]*) length= ;; esac
  [ "${#sum}" -eq 64 ] && [ -n "$length" ] || fail "checksum: the hub states none for $file of $repository"
  commit=${commit:-$revision}
  [ "$commit" = "$revision" ] || tell "$named of $repository is $commit"
  revision=$commit
  url=$hub/$repository/resolve/$revision/$file
  [ ! -f "$target" ] || mv "$target" "$part"
  have=$(size "$part")
  [ "$have" -le "$length" ] || rm -f "$part"
  have=$(size "$part")
  free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
  [ $(((length - have) / 1024)) -lt "$free" ] ||
    fail "no disk space: $file needs $(((length - have) / 1048576)) MiB more, $((free / 1024)) MiB are free"
  start_counting
  while [ "$have" -lt "$length" ]; do
    before=$have
    tell "fetching $file from byte $have of $length"
    code=$(ask -fL --proto-redir "$only" --speed-limit 1024 --speed-time 60 -C - -o "$part" -w '%{http_code}' "$url")
    ended=$?
    have=$(size "$part")
    [ "$have" -le "$before" ] || start_counting
    case $ended in
      0) [ "$have" -ge "$length" ] || again "$file ended early" ;;
      22)
        refused "$code"
        again "the storage answers HTTP $code"
        ;;
      23) fail "no disk space: $file could not be written beyond $((have / 1048576)) MiB" ;;
      33)
        rm -f "$part"
        have=0
        again "the storage does not resume"
        ;;
      *) again "curl ended with $ended ($(tail -n 1 "$said"))" ;;
    esac
  done
  check "$part"
  mv "$part" "$target"
  printf '%s' "$repository@$named $(size "$target")" >"$mark"
}
known=
while [ "$#" -ge 4 ]; do
  repository=$1 revision=$2 folder=$3 file=$4
  named=$revision
  shift 4
  case $known in "$repository@$named "*) revision=${known##* } ;; esac
  fetch
  [ -z "${commit:-}" ] || known="$repository@$named $commit"
done
tell "all files are there"
"""
)

# Groups of three: repository, revision, folder. For images with the hub's own command.
# A download counts only once the check says that no file lacks: `hf download` calls a folder with some files complete
# when the hub does not answer, and says so (huggingface_hub 0.36 and 2.4.0). Where `hf` has no `cache verify` (before
# huggingface_hub 1), files are compared with the SHA-256 of the hub that a download notes beside them (its guide on
# downloads). A 403 without a reason is a `Local entry not found` to 2.4.0; 0.36 prints the names of its errors.
REPOSITORIES_SCRIPT = (
    _COMMON
    + r"""
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
"""
)
