# shellcheck shell=bash
# Sourced by the scripts beside it. One environment for each version of Home Assistant that the integration works with,
# .tools/ha-VERSION, as tests/ha/requirements/VERSION.txt pins it; and .tools/ha-develop, with a frontend.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

ha_versions=(2026.10 2026.11)
ha_requirements=tests/ha/requirements

# Brings an environment in line with its requirements.
ha_environment() {
  local folder=.tools/ha-$1 requirements=$ha_requirements/$1.txt python
  if cmp --silent "$requirements" "$folder/requirements.txt" && "$folder/bin/python" -c '' 2>/dev/null; then return; fi
  [ -e "$requirements" ] || { say "there is no $requirements"; return 1; }
  say "installing Home Assistant ($1) into $folder"
  rm -rf "$folder" # what an interrupted installation has left looks complete to uv
  python=$(scripts/python-3.14)
  uv venv --quiet --python "$python" "$folder"
  uv pip sync --quiet --python "$folder" --require-hashes --build-constraints "$ha_requirements/build.txt" \
    "$requirements"
  cp "$requirements" "$folder/requirements.txt"
}

# Runs tests/ha, or what the arguments say, in every version of Home Assistant at the same time, and then prints what each
# run wrote. Fails as the last run that failed. Ctrl-C ends all of them as it ends one.
test_in_home_assistants() {
  local version written failed=0 runs=()
  for version in "${ha_versions[@]}"; do ha_environment "$version"; done
  say "inside Home Assistant ${ha_versions[*]}: what they write comes at the end"
  written=$(mktemp -d)
  set -m # else bash lets what runs in the background ignore Ctrl-C
  for version in "${ha_versions[@]}"; do
    test_in_home_assistant "$version" "$@" </dev/null >"$written/$version" 2>&1 &
    runs+=($!)
  done
  set +m
  trap 'kill -INT -- "${runs[@]/#/-}" 2>/dev/null || true' INT TERM HUP
  wait "${runs[@]}" || true # a signal ends this wait; those below are for the end of the runs
  for version in "${ha_versions[@]}"; do
    wait "${runs[0]}" || failed=$?
    runs=("${runs[@]:1}")
    say "inside Home Assistant $version"
    cat "$written/$version"
  done
  rm -r "$written"
  trap - INT TERM HUP
  return "$failed"
}

# Runs tests/ha, or what the further arguments say, in one version of Home Assistant.
test_in_home_assistant() {
  local version=$1; shift
  COVERAGE_FILE=.coverage-$version ".tools/ha-$version/bin/python" -m pytest --config-file=tests/ha/pytest.toml \
    --rootdir=. --override-ini=cache_dir=".pytest_cache/ha-$version" "$@"
}

# Checks the integration's types against one version of Home Assistant.
type_check_in_home_assistant() {
  ha_environment "$1"
  MYPYPATH=tests/ha/harness/types/$1 ".tools/ha-$1/bin/python" -m mypy --config-file=tests/ha/mypy.ini \
    --cache-dir=".mypy_cache/ha-$1" --package=custom_components.sms_credit
}

# Pins anew what the .in files ask for. Arguments go to uv: --upgrade, or --upgrade-package NAME.
lock_home_assistant() {
  local name override
  for name in build "${ha_versions[@]}" develop; do
    override=$ha_requirements/$name.override.in
    [ -e "$override" ] || override=/dev/null
    uv pip compile --quiet --universal --python-version 3.14.2 --generate-hashes --override "$override" \
      --custom-compile-command "bash -c 'source scripts/ha-environments.sh; lock_home_assistant'" \
      --output-file "$ha_requirements/$name.txt" "$@" "$ha_requirements/$name.in"
  done
}
