# Sourced by the platform's set-up scripts: the cache, and how parts get into it completely or not at all.
#
# A part is kept in ${XDG_CACHE_HOME:-~/.cache}/vitrine/NAME-KEY. KEY is a hash of its inputs. It is made under the name
# NAME-KEY.partial and renamed when it is complete, so that the next call makes it again after an interruption.

cacheRoot=${XDG_CACHE_HOME:-$HOME/.cache}/vitrine
platformDir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repoDir=$(cd "$platformDir/../.." && pwd)

say() { printf 'platform: %s\n' "$*" >&2; }
die() { printf 'platform: %s\n' "$*" >&2; exit 1; }

# misused TEXT...: ends a script that was called with wrong arguments.
misused() { say "$@"; exit 2; }

# needOnHost PROGRAM [PACKAGE...]: needs a program on the host. As root on Debian, installs its packages (default: its name).
needOnHost() {
  local program=$1
  shift
  [ $# -gt 0 ] || set -- "$program"
  if command -v "$program" >/dev/null; then return; fi
  [ -r /etc/debian_version ] || die "$program is missing: install it (Fedora and Arch have mmdebstrap, apt and \
debian-archive-keyring, which the root filesystem is made with), then call again"
  [ "$(id -u)" = 0 ] || die "$program is missing: as root, run 'apt-get install $*', then call again"
  mkdir -p "$cacheRoot"
  logged "installing $*" "$cacheRoot/apt.log" sh -c 'export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }' sh "$@"
}

# needProfile NAME: ends the script if there is no such profile.
needProfile() {
  [ -e "$platformDir/profiles/$1.profile" ] ||
    misused "no profile $1; there are: $(cd "$platformDir/profiles" && ls | sed 's/\.profile//' | xargs)"
}

# keyOf FILE...: one key for the contents of these files.
keyOf() { cat -- "$@" | sha256sum | cut -c1-12; }

sysrootPath() { printf '%s\n' "$cacheRoot/sysroot-$(keyOf "$platformDir"/sysroot/{make,packages})"; }

# kernelPath: keyed by our additions, and by the version of the kernel source in the root filesystem, which must exist.
kernelPath() {
  local version
  version=$(awk '/^Package: linux-source-[0-9]/ { found = 1 } found && /^Version: / { print $2; exit }' "$(sysrootPath)/var/lib/dpkg/status")
  printf '%s\n' "$cacheRoot/kernel-$version-$(keyOf "$platformDir"/kernel/*)"
}

# withLock COMMAND...: runs a command under the cache's lock. Others wait, and then find the work done.
withLock() {
  mkdir -p "$cacheRoot" || die "cannot make $cacheRoot; set XDG_CACHE_HOME to a folder that you may write"
  exec 9>"$cacheRoot/lock"
  if ! flock -n 9; then
    say "another set-up is at work in $cacheRoot; waiting for it"
    flock 9
  fi
  "$@"
  flock -u 9
  exec 9>&-
}

# showProgress LABEL LOG PID: shows progress until PID ends: one line on a terminal, otherwise a line every half minute.
showProgress() {
  local label=$1 log=$2 pid=$3 start=$SECONDS last=0 now
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.5
    now=$((SECONDS - start))
    if [ -t 2 ]; then
      printf '\r\033[Kplatform: %s, %d s: %.70s' "$label" "$now" "$(tail -n 1 "$log" 2>/dev/null | tr -d '\r\033')" >&2
    elif [ $((now - last)) -ge 30 ]; then
      last=$now
      say "$label, $now s: $(tail -n 1 "$log" 2>/dev/null | cut -c1-90)"
    fi
  done
  if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

# logged LABEL LOG COMMAND...: runs a command with output to LOG and shows progress; on failure, shows the end of the log.
logged() {
  local label=$1 log=$2 start=$SECONDS pid status=0
  shift 2
  say "$label (log: $log)"
  # In a session of its own, so that an interruption can end all of its processes. It inherits the lock: if this script is
  # killed, the next call waits until these processes have ended.
  setsid "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill -TERM -- -$pid 2>/dev/null || true; wait $pid 2>/dev/null || true
    say "interrupted while: $label; the next call makes it again"; exit 130' INT TERM
  showProgress "$label" "$log" "$pid"
  wait "$pid" || status=$?
  trap - INT TERM
  if [ "$status" != 0 ]; then
    tail -n 40 "$log" >&2
    die "$label failed with status $status; the whole log is $log"
  fi
  say "$label: done in $((SECONDS - start)) s"
}

# removeTree DIR: removes a tree, also if an ordinary user's root filesystem has files of other (mapped) users.
removeTree() {
  rm -rf -- "$1" 2>/dev/null || unshare --map-auto --map-root-user rm -rf -- "$1" || die "cannot remove $1; remove it by hand"
}

# makeOnce LABEL TARGET COMMAND...: runs COMMAND TARGET.partial and renames it to TARGET. Removes an incomplete part first.
makeOnce() {
  local label=$1 target=$2
  shift 2
  if [ -e "$target" ]; then return; fi
  if [ -e "$target.partial" ]; then removeTree "$target.partial"; fi
  logged "$label" "$target.log" "$@" "$target.partial"
  mv -T "$target.partial" "$target"
}
