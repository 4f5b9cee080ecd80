# Sourced: the array include_flags, from the build's list of folders or, without one, from the usual places.
# g++ must not be given /usr/include again: it would break #include_next.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
include_flags=(-I "$root/include")
if [ -n "${RNX_INCLUDE_DIRS_FILE:-}" ]; then
  while IFS= read -r folder; do
    case "$folder" in "" | /usr/include | "$root/include") ;; *) include_flags+=(-isystem "$folder") ;; esac
  done <"$RNX_INCLUDE_DIRS_FILE"
elif [ -n "${RNX_DEPS_DIR:-}" ]; then
  include_flags+=(-isystem "$RNX_DEPS_DIR")
else
  include_flags+=(-isystem /usr/include/eigen3)
fi
