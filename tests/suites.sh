# Sourced by ./check: the suites, and the count of what they say.

suitesDefault=(style unit selftest platform display demo asan)
suitesKnown=("${suitesDefault[@]}" leak bench)
results=$(mktemp "${TMPDIR:-/tmp}/vitrine-check.XXXXXX")
reports=$(mktemp -d "${TMPDIR:-/tmp}/vitrine-check-reports.XXXXXX")
trap 'rm -rf "$results" "$reports"' EXIT
export PLATFORM_LOGS=$reports/kernel-logs # of every machine that a suite boots; see kernelLogsAreClean

usage() { sed -n '2,4s/^# *//p' check; }

# note SUITE: counts the result lines on standard input and passes everything on.
note() { sed -uE "s#^(ok|FAIL|skip) #\1 $1/#" | tee -a "$results"; }

# buildTree NAME OPTION...: configures on the first call, then builds what has changed. A warning is a failure, and stays one:
# what the compiler warns of is not built; what others do (the linker) fails this run.
buildTree() {
  local name=$1 log=$reports/build-$1
  shift
  echo "building the tree $name (quick where little has changed, some minutes from nothing)"
  if ! tests/platform/enter -- sh -ec '
    name=$1; shift
    [ -e build/$name/build.ninja ] || meson setup build/$name -Dtests=enabled --werror "$@" >/dev/null
    meson configure build/$name -Dwerror=true # whoever configured it, ./demo for one; changes nothing where it is so
    ninja -C build/$name' build "$name" "$@" >"$log" 2>&1; then
    echo "FAIL build-$name: $(grep -m 1 -E 'error|FAILED' "$log")"
    tail -n 40 "$log" | sed 's/^/    /'
    return 1
  fi
  if grep -q 'warning:' "$log"; then
    echo "FAIL build-$name-without-warnings: $(grep -m 1 'warning:' "$log")"
  else
    echo "ok build-$name-without-warnings"
  fi
}

# googleTest NAME COMMAND...: one GoogleTest program, as result lines.
googleTest() {
  local name=$1 said status=0
  shift
  said=$("$@" 2>&1 </dev/null) || status=$?
  case $status in
    0)
      sed -n '/^# /p' <<<"$said"
      echo "ok $name ($(sed -nE 's/^\[  PASSED  \] ([0-9]+) tests?.*/\1/p' <<<"$said") cases)"
      # A program passes although some of its cases did not run: these are skips, not passes.
      sed -nE 's/^\[  SKIPPED \] ([A-Za-z_]+\.[^ ]+)$/\1/p' <<<"$said" | sort -u | sed "s#^#skip $name/#; s#\$#: see the program's output#"
      ;;
    77) echo "skip $name: $(tail -n 1 <<<"$said")" ;;
    # What failed, wherever in the output that was, and the end.
    *) printf 'FAIL %s: status %s\n%s\n' "$name" "$status" \
      "$({ sed -n '/: Failure$/,/^$/p' <<<"$said" | head -n 60; tail -n 30 <<<"$said"; } | sed 's/^/    /')" ;;
  esac
}

# mesonSuite TREE SUITE WHERE...: runs the GoogleTest programs of a suite through WHERE (a command prefix).
mesonSuite() {
  local tree=$1 suite=$2 name program
  shift 2
  while read -r name program; do
    googleTest "$name" "$@" "$program"
  done < <(tests/platform/enter -- python3 -c 'import json, subprocess, sys
for t in json.loads(subprocess.check_output(["meson", "introspect", "--tests", sys.argv[1]])):
    if sys.argv[2] in [s.split(":")[-1] for s in t["suite"]]: print(t["name"], t["cmd"][0])' "build/$tree" "$suite")
}

# inGuest LABEL PROFILE TREE TEST...: display tests ($displayTests) of one profile, in a machine of their own.
inGuest() {
  local label=$1 profile=$2 tree=$3 status=0 out=$reports/$1
  shift 3
  tests/platform/run --profile "$profile" --build "$tree" --out "$out" --time-limit 900 ${VITRINE_GUEST_CPUS:+--cpus "$VITRINE_GUEST_CPUS"} -- \
    python3 "tests/display/${displayTests:-check.py}" "$@" >"$out.lines" 2>"$out.errors" || status=$?
  sed -E "s#^(ok|FAIL|skip) #\1 $label/#" "$out.lines"
  if [ "$status" -gt 1 ] || { [ "$status" = 1 ] && ! grep -q '^FAIL' "$out.lines"; }; then
    printf 'FAIL %s: status %s\n%s\n' "$label" "$status" "$(tail -n 30 "$out.errors" | sed 's/^/    /')"
  fi
}

# kernelLogsAreClean: of every machine that the suite booted, whatever for.
kernelLogsAreClean() {
  local log said machines=0 dirty=0
  for log in "$PLATFORM_LOGS"/*.log; do
    [ -e "$log" ] || return 0 # not one
    machines=$((machines + 1))
    if ! said=$(tests/platform/complaints "$log"); then
      dirty=$((dirty + 1))
      echo "FAIL kernel-log-of-machine-$machines: $(head -n 1 "${log%.log}.command"): $(head -n 1 <<<"${said#"$log":}")"
    fi
  done
  if [ "$dirty" = 0 ]; then echo "ok kernel-logs-are-clean ($machines machines)"; fi
}

# atOnce A B: two functions at a time, for most tests wait most of the time; what B says comes after what A says.
atOnce() {
  local other
  "$2" >"$reports/$2.result" &
  other=$!
  "$1"
  wait "$other"
  cat "$reports/$2.result"
}

suite_style() {
  local files
  files=$(git ls-files '*.cpp' '*.h' | grep -v '^tests/platform/kernel/')
  if tests/platform/enter -- clang-format --dry-run -Werror $files >"$reports/format" 2>&1; then
    echo "ok clang-format"
  else
    echo "FAIL clang-format: $(grep -c 'error:' "$reports/format") places, first: $(grep -m 1 'error:' "$reports/format")"
  fi
  if git grep -nE '#include [<"](wlr|wayland|compositor)' -- protected-path >"$reports/fence"; then
    echo "FAIL the-library-knows-no-wayland: $(head -n 1 "$reports/fence")"
  else
    echo "ok the-library-knows-no-wayland"
  fi
}

# packagesAreInReadme TREE: whether README.md names the package of every library that this build found.
packagesAreInReadme() {
  local found package missing=()
  found=$(tests/platform/enter -- sh -ec 'meson introspect --dependencies "$1" |
    python3 -c "import json, sys; [print(d[\"name\"]) for d in json.load(sys.stdin) if d[\"type\"] == \"pkgconfig\"]" |
    while read -r name; do dpkg -S "$(pkg-config --variable=pcfiledir "$name")/$name.pc"; done' packages "build/$1" | cut -d: -f1)
  for package in $found; do
    grep -qE "(^| )$package( |\$)" README.md || missing+=("$package")
  done
  if [ -n "$found" ] && [ ${#missing[@]} = 0 ]; then
    echo "ok readme-names-the-packages"
  else
    echo "FAIL readme-names-the-packages: README.md does not name ${missing[*]-any: none was found}"
  fi
}

# commandLines TREE: how the programs that are installed answer to theirs.
commandLines() {
  local said status=0
  said=$(tests/platform/enter -- python3 tests/unit/command_lines.py "build/$1" 2>&1) || status=$?
  echo "$said"
  if [ "$status" != 0 ] && ! grep -q '^FAIL ' <<<"$said"; then echo "FAIL command-lines: status $status"; fi
}

suite_unit() {
  buildTree platform || return 0
  packagesAreInReadme platform
  commandLines platform
  mesonSuite platform unit tests/platform/enter --
}

suite_selftest() { tests/platform/selftest/all | grep -vE '^[0-9]+ passed'; }

suite_platform() {
  buildTree platform || return 0
  atOnce platformPrograms platformBoards
}

platformPrograms() { mesonSuite platform platform tests/platform/run --time-limit 900 --; }

platformBoards() {
  # The platform's own GPU, whose driver is never sanitized.
  mesonSuite platform gpu tests/platform/run --
  # On a GPU without protected memory.
  googleTest renderer-on-plane-only tests/platform/run --profile plane-only --time-limit 900 -- renderer-test
  googleTest protected-formats-on-plane-only tests/platform/run --profile plane-only -- renderer-protected-formats-test
  # Where everything is composed, for want of planes.
  VITRINE_LEAK_SCENES=150 googleTest leak-session-on-gpu-only tests/platform/run --profile gpu-only --time-limit 900 -- leak-session-test
  # On kernels whose heaps answer otherwise than mainline's.
  local profile program
  for profile in legacy-mediatek legacy-android tegra-vpr; do
    googleTest "protected-heap-on-$profile" tests/platform/run --profile "$profile" -- protected-heap-platform-test
  done
  # Where the secure world lets a test read back what it decrypted.
  for program in protected-heap-platform composition-platform; do
    googleTest "$program-with-dump" tests/platform/run --profile selftest -- "$program-test"
  done
}

# pathsOn PROFILE...: which path video takes on these boards; leaves their rows of the table in build/paths/TREE.
pathsOn() {
  local profile
  for profile in "$@"; do
    displayTests=paths.py inGuest "paths-$profile" "$profile" "$displayTree"
    cp "$reports/paths-$profile/paths.md" "build/paths/$displayTree/$profile.md" 2>/dev/null || true # absent where nothing ran, which failed
  done
}

pathsTableIsFresh() {
  local said
  if said=$(tests/platform/enter -- python3 tests/display/paths_table.py --check "build/paths/$displayTree" 2>&1); then
    echo "ok paths-table-is-what-was-seen"
  else
    printf 'FAIL paths-table-is-what-was-seen: to refresh it: %s\n%s\n' \
      "tests/platform/enter -- python3 tests/display/paths_table.py --write build/paths/$displayTree" "$(sed 's/^/    /' <<<"$said")"
  fi
}

# displayOn TREE: every display test. The lanes take about as long as each other.
displayOn() {
  local displayTree=$1
  rm -rf "build/paths/$displayTree"
  mkdir -p "build/paths/$displayTree"
  atOnce displayBoards displayPaths
  pathsTableIsFresh
}

displayBoards() {
  local profile
  VITRINE_SOAK_FRAMES=300 inGuest full full "$displayTree"
  for profile in plane-only untrusted-display untrusted-gpu no-heap legacy-mediatek legacy-android tiny-pool; do
    inGuest "$profile" "$profile" "$displayTree"
  done
  pathsOn untrusted-display no-heap legacy-mediatek legacy-android tiny-pool
  displayTests=resilience.py inGuest resilience-full full "$displayTree"
}

displayPaths() {
  local profile
  # A sanitizer keeps what was freed, so that a long run's memory says nothing.
  if [ "$displayTree" != asan ]; then inGuest soak full "$displayTree" memory-and-files; fi
  pathsOn full plane-only gpu-only single-plane
  displayTests=resilience.py inGuest resilience-gpu-only gpu-only "$displayTree"
  displayTests=shell.py inGuest shell full "$displayTree"
  displayTests=stopping.py inGuest stopping full "$displayTree"
  for profile in full gpu-only; do displayTests=video.py inGuest "video-$profile" "$profile" "$displayTree"; done
  for profile in full gpu-only; do displayTests=machine.py inGuest "machine-$profile" "$profile" "$displayTree"; done
}

suite_display() {
  buildTree platform || return 0
  displayOn platform
}

# judgeDemo PROFILE COMMAND...: a demonstration that leaves its account in $reports/demo-PROFILE.
judgeDemo() {
  local profile=$1 demo=$reports/demo-$1
  shift
  if "$@" >"$demo.log" 2>&1 &&
    tests/platform/enter --bind "$reports:/tmp/reports" -- python3 tests/display/check_demo.py "$profile" "/tmp/reports/demo-$profile" >"$demo.wrong"; then
    echo "ok $profile"
  else
    printf 'FAIL %s: %s\n%s\n' "$profile" "$(cat "$demo.wrong" 2>/dev/null)" "$(tail -n 20 "$demo.log" | sed 's/^/    /')"
  fi
}

# The demonstration itself, as a newcomer calls it.
suite_demo() {
  local profile
  for profile in full plane-only gpu-only untrusted-display no-heap tiny-pool; do
    judgeDemo "$profile" ./demo --profile "$profile" --seconds 2 --out "$reports/demo-$profile"
  done
}

# Not among the default suites, which have hundreds of these: thousands take the better part of an hour.
suite_leak() {
  buildTree platform || return 0
  export VITRINE_LEAK_SCENES=${VITRINE_LEAK_SCENES:-2000}
  atOnce leakWithPlanes leakWithoutPlanes
}

leakWithPlanes() { googleTest session-on-full tests/platform/run --time-limit 7200 -- leak-session-test; }
leakWithoutPlanes() { googleTest session-on-gpu-only tests/platform/run --profile gpu-only --time-limit 7200 -- leak-session-test; }

# Not among the default suites: it judges nothing. The numbers go to build/bench/.
suite_bench() {
  local profile
  buildTree platform || return 0
  for profile in full plane-only; do
    if tests/platform/run --profile "$profile" --out "build/bench/$profile" --time-limit 900 -- \
      sh -c 'exec composition-bench --benchmark_out="$OUT/composition.json" --benchmark_counters_tabular=true'; then
      echo "ok $profile (build/bench/$profile/composition.json)"
    else
      echo "FAIL $profile"
    fi
  done
}

suite_asan() {
  buildTree asan --buildtype=debug -Db_sanitize=address,undefined -Db_lundef=false || return 0
  # The validation layer crawls under the default quarantine, which keeps 256 MiB of what was freed.
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:quarantine_size_mb=8 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  export LSAN_OPTIONS=suppressions=/vitrine/tests/lsan-suppressions.txt:print_suppressions=0
  export VITRINE_PASS="ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS GTEST_FILTER"
  asanPrograms
  VITRINE_GUEST_CPUS=1 displayOn asan
  local profile
  for profile in full gpu-only untrusted-display no-heap; do
    judgeDemo "$profile" tests/platform/run --profile "$profile" --build asan --cpus 1 --out "$reports/demo-$profile" -- \
      python3 tests/display/demo_session.py 2 | sed -E 's#^(ok|FAIL) #\1 demo-#'
  done
}

asanPrograms() {
  commandLines asan
  mesonSuite asan unit tests/platform/enter --
  atOnce asanPlatform asanBoards
}

asanPlatform() {
  # The largest pictures come in a process of their own. User Mode Linux maps page by page, sanitized programs have many pages,
  # and past the host's vm.max_map_count the machine faults for ever.
  GTEST_FILTER=-YccImages.* VITRINE_LEAK_SCENES=60 mesonSuite asan platform tests/platform/run --build asan --cpus 1 --time-limit 1800 --
}

asanBoards() {
  local profile program
  GTEST_FILTER=YccImages.* googleTest renderer-ycc-images tests/platform/run --build asan --cpus 1 --time-limit 1800 -- renderer-test
  mesonSuite asan gpu tests/platform/run --build asan --cpus 1 --time-limit 1800 --
  VITRINE_LEAK_SCENES=20 googleTest leak-session-on-gpu-only tests/platform/run --profile gpu-only --build asan --cpus 1 --time-limit 1800 -- leak-session-test
  GTEST_FILTER=-YccImages.* googleTest renderer-on-plane-only tests/platform/run --profile plane-only --build asan --cpus 1 --time-limit 1800 -- renderer-test
  for profile in legacy-mediatek legacy-android tegra-vpr; do
    googleTest "protected-heap-on-$profile" tests/platform/run --profile "$profile" --build asan --cpus 1 -- protected-heap-platform-test
  done
  for program in protected-heap-platform composition-platform; do
    googleTest "$program-with-dump" tests/platform/run --profile selftest --build asan --cpus 1 -- "$program-test"
  done
}

# A skip is a failure, unless tests/allowed-skips says why it may be: a test that quietly stops running tests nothing.
judgeSkips() {
  local line
  while read -r line; do
    if ! grep -vE '^(#|$)' tests/allowed-skips | cut -d' ' -f1 | grep -qxF "$(cut -d' ' -f2 <<<"${line%%:*}")"; then
      echo "FAIL ${line#skip } (a skip that tests/allowed-skips does not list)" >>"$results"
    fi
  done < <(grep '^skip ' "$results" || true)
}

finish() {
  local passed failed skipped
  judgeSkips
  passed=$(grep -c '^ok ' "$results" || true)
  failed=$(grep -c '^FAIL ' "$results" || true)
  skipped=$(grep -c '^skip ' "$results" || true)
  if [ "$failed" != 0 ]; then
    echo
    grep '^FAIL ' "$results"
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ] && [ "$passed" != 0 ]
  exit
}

main() {
  local suite status chosen=("$@")
  case "${1:-}" in -h | --help) usage; exit 0 ;; esac
  [ ${#chosen[@]} -gt 0 ] || chosen=("${suitesDefault[@]}")
  for suite in "${chosen[@]}"; do
    [[ " ${suitesKnown[*]} " == *" $suite "* ]] || { echo "no suite $suite; there are: ${suitesKnown[*]}" >&2; exit 2; }
  done
  tests/platform/setup
  for suite in "${chosen[@]}"; do
    echo "== $suite"
    status=0
    rm -rf "${reports:?}"/* # two suites run the same tests of two builds
    mkdir "$PLATFORM_LOGS"
    "suite_$suite" | note "$suite" || status=$?
    kernelLogsAreClean | note "$suite"
    if [ "$status" != 0 ] && ! grep -q "^FAIL $suite/" "$results"; then
      echo "FAIL the-suite-itself: ended with status $status" | note "$suite"
    fi
  done
  finish
}
