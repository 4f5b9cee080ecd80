#include "words.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <rnx/core/error.hpp>

namespace tools {

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  const auto distance =
      [](const std::string& a,
         const std::string& b) {  // insertions, deletions, substitutions (Levenshtein)
        std::vector<std::size_t> row(b.size() + 1);
        for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= a.size(); ++i) {
          std::size_t diagonal = std::exchange(row[0], i);
          for (std::size_t j = 1; j <= b.size(); ++j)
            diagonal = std::exchange(
                row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
        }
        return row.back();
      };
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& k : known)
    if (const std::size_t d = distance(word, k); d < least) {
      least = d;
      best = k;
    }
  return best;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  return near.empty() ? "" : "; did you mean " + near + "?";
}

void require_known(const std::string& option, const std::string& word,
                   const std::vector<std::string>& known) {
  rnx::require(std::find(known.begin(), known.end(), word) != known.end(), [&] {
    return fmt::format("{}: '{}' is unknown; known are {}{}", option, word, fmt::join(known, ", "),
                       suggestion(word, known));
  });
}

}  // namespace tools
