// Any bytes: as a report.json `compare` takes them or throws FileError; what it takes is compared
// with itself, its images out of the same bytes, and no image is then right on one side alone.
#include "check.hpp"
#include "rnx/report/compare.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
  using namespace rnx;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // behind a zero byte stands the per-sample file
  const std::size_t zero = std::min(text.find('\0'), text.size());
  auto models = report::compared_models(text.substr(0, zero), "input");
  check(!models.empty(), "a report has a model");
  for (report::ComparedModel& m : models) {
    report::read_samples(m, text.substr(std::min(zero + 1, text.size())), "samples");
    check(m.robust.size() == m.n && m.clean.size() == m.n, "each image is there");
    bool numbers = true;
    for (std::size_t i = 0; i < m.n; ++i)
      numbers = numbers && m.index[i] == m.index[i] && m.labels[i] == m.labels[i];
    if (!numbers) continue;  // what is missing equals nothing
    const report::Comparison c = report::compare(m, m);
    check(c.robust.only_first == 0 && c.robust.only_second == 0, "a model equals itself");
    check(c.robust.exact_p() == 1, "and no test tells it from itself");
  }
  return 0;
} catch (const rnx::FileError& error) {
  check(one_sentence(error.what()), "an error is one line");
  return 0;
}
