# What run and long share: sourced, from the repository's root, by bash.

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# Services and tools that tests start or drive. Starting services is the tests' business, each on a free port.
install_services() {
  step "services and tools"
  local need=(npm redis-server nginx chromium gnome-keyring-daemon dbus-run-session)
  local packages=(npm redis-server nginx-light chromium gnome-keyring dbus dbus-x11)
  local missing=() index
  for index in "${!need[@]}"; do
    command -v "${need[$index]}" >/dev/null || [ -x "/usr/sbin/${need[$index]}" ] || missing+=("${packages[$index]}")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
}

# A clean clone of what is committed, in $work/clone, with the clients that tests drive; it becomes the folder.
clone_clean() {
  step "a clean clone"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  git clone --quiet "$PWD" "$work/clone"
  cd "$work/clone"
  sh tests/clients/install
}
