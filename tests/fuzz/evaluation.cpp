// Any bytes: the state of an evaluation (eval/state.hpp) is read or refused with one sentence; what
// is read is written and read again: equal.
#include <filesystem>

#include "check.hpp"
#include "rnx/eval/state.hpp"

#include <unistd.h>

namespace {

bool same(const rnx::eval::Piece& a, const rnx::eval::Piece& b) {
  const auto &x = a.accuracy, &y = b.accuracy;
  bool equal = a.key == b.key && a.first == b.first && x.samples.size() == y.samples.size() &&
               x.origins == y.origins && x.examples.size() == y.examples.size() &&
               x.attacking == y.attacking && x.predicting == y.predicting &&
               x.verifying == y.verifying && x.adversarials.size() == y.adversarials.size() &&
               x.logits.size() == y.logits.size();
  for (std::size_t i = 0; equal && i < x.samples.size(); ++i)
    equal = x.samples[i].label == y.samples[i].label && x.samples[i].clean == y.samples[i].clean &&
            x.samples[i].attacked == y.samples[i].attacked &&
            x.samples[i].robust == y.samples[i].robust &&
            x.samples[i].member == y.samples[i].member;
  return equal && x.members == y.members;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) try {
  using namespace rnx;
  const eval::Piece piece =
      eval::read_piece(io::SafetensorsFile::parse(as_input(data, size), "input"));
  for (const eval::Sample& s : piece.accuracy.samples)
    check(!s.robust || (s.clean == s.label && s.attacked == s.label), "robust samples are right");
  check(piece.accuracy.origins.size() == piece.accuracy.samples.size(), "each has an origin");
  const auto file = std::filesystem::temp_directory_path() /
                    ("rnx_fuzz_evaluation_" + std::to_string(::getpid()));
  eval::write_piece(file, piece);
  const eval::Piece again = eval::read_piece(io::SafetensorsFile::read(file));
  std::filesystem::remove(file);
  check(same(piece, again), "what is written is read again");
  return 0;
} catch (const rnx::FileError& error) {
  check(one_sentence(error.what()), "an error is one line");
  return 0;
}
