// A checker of markup as reports write it: every tag is closed, attributes are quoted, bare < and &
// do not occur.
#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace markup {

/// What is wrong with it, or "".
inline std::string fault(std::string_view text) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '&') {
      const std::size_t end = text.find(';', at);
      if (end == text.npos || end - at > 7) return "bare &: " + std::string(text.substr(at, 30));
    }
    if (text[at] != '<') {
      ++at;
      continue;
    }
    if (text.substr(at, 9) == "<!DOCTYPE") {
      at = text.find('>', at) + 1;
      continue;
    }
    const std::size_t from = at++;
    const auto here = [&](const std::string& what) {
      return what + ": " + std::string(text.substr(from, 60));
    };
    const bool closing = text.substr(at).starts_with('/');
    at += closing;
    std::string name;
    while (at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])))
      name += text[at++];
    if (name.empty()) return here("bare <");
    bool alone = false;
    for (; at < text.size() && text[at] != '>'; ++at) {
      if (text[at] == '<') return here("< within a tag");
      if (text[at] == '=' && (at + 1 >= text.size() || text[at + 1] != '"'))
        return here("an attribute without quotes");
      if (text[at] == '"') {
        const std::size_t end = text.find('"', at + 1);
        if (end == text.npos || text.substr(at, end - at).find('<') != text.npos)
          return here("an attribute that does not end");
        at = end;
      }
      alone = text[at] == '/';
    }
    if (at++ >= text.size()) return here("a tag that does not end");
    if (!closing && !alone) open.push_back(name);
    if (closing) {
      if (open.empty() || open.back() != name)
        return here("closes " + (open.empty() ? "nothing" : open.back()));
      open.pop_back();
    }
    if (name == "style" && !closing) at = text.find("</style>", at);  // its text is CSS
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

}  // namespace markup
