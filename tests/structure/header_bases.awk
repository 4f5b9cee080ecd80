# Of lines `FILE:#include "HEADER"` prints `FILE BASE` for each file: the first of the bases (variable, separated by blanks) that the
# file includes, through others as well; `none` where it includes none of them.
{
  split($0, part, "\"")
  file = substr($0, 1, index($0, ":") - 1)
  if (!(file in count)) files[++file_count] = file
  if (part[2] != "") included[file, ++count[file]] = part[2]
}

function reaches(file, base,    i) {
  if (file == base) return 1
  if ((file, base) in known) return known[file, base]
  known[file, base] = 0
  for (i = 1; i <= count[file]; ++i)
    if (reaches(included[file, i], base)) {
      known[file, base] = 1
      return 1
    }
  return 0
}

END {
  base_count = split(bases, base, " ")
  for (f = 1; f <= file_count; ++f) {
    found = "none"
    for (b = 1; b <= base_count && found == "none"; ++b)
      if (files[f] != base[b] && reaches(files[f], base[b])) found = base[b]
    print files[f], found
  }
}
