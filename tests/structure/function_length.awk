# Functions of more than `limit` lines, lambdas and test cases too. Reads C++ as clang-format leaves it.
#   awk -v limit=60 -f function_length.awk FILES...        exit 1 when there is one

# Whether what stands before a brace begins a function: parameters, and no word of a statement or a type.
function begins(header) {
  sub(/^[ }]*/, "", header)
  if (header ~ /^(if|for|while|switch|else|do|catch|namespace|struct|class|enum|union|return)[ (]/) return 0
  if (header ~ /^template .*> (struct|class) /) return 0
  return header ~ /\)( const| noexcept| override| final| mutable| RNX_ALWAYS_INLINE| requires .*| -> .*| : .*)* *$/
}

FNR == 1 { depth = 0; header = "" }
{
  line = $0
  gsub(/\\./, "", line)
  gsub(/"[^"]*"/, "\"\"", line)
  gsub(/'[^']*'/, "0", line)
  sub(/\/\/.*$/, "", line)
  if (line ~ /^ *#/) next
  count = split(line, letter, "")
  for (i = 1; i <= count; ++i) {
    c = letter[i]
    if (c == "{") {
      ++depth
      first[depth] = FNR
      is_function[depth] = begins(header)
      header = ""
    } else if (c == "}") {
      if (is_function[depth] && FNR - first[depth] + 1 > limit) {
        print FILENAME ":" first[depth] ": a function of " FNR - first[depth] + 1 " lines"
        found = 1
      }
      --depth
      header = ""
    } else if (c == ";") header = ""
    else header = header c
  }
  header = header " "
}
END { exit found }
