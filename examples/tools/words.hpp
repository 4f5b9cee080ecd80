// Words that are nearly right.
#pragma once

#include <string>
#include <vector>

namespace tools {

/// The known word that `word` is a slip of, or "" where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);
/// "; did you mean X?" or "".
std::string suggestion(const std::string& word, const std::vector<std::string>& known);
/// Throws UsageError "<option>: 'word' is unknown; known are a, b, c" (and what was probably meant)
/// unless it is known.
void require_known(const std::string& option, const std::string& word,
                   const std::vector<std::string>& known);

}  // namespace tools
