// A piece of an evaluation as a file: what is written is read again; what is damaged, or is
// something else, gets one sentence.
#include <doctest/doctest.h>

#include "rnx/eval/state.hpp"
#include "support/error_of.hpp"
#include "support/folder.hpp"

using namespace rnx;

namespace {

eval::Piece piece() {
  eval::Piece p{.key = "0123456789abcdef", .first = 250, .seconds = 1.25};
  eval::Accuracy& a = p.accuracy;
  a.samples = {{.label = 3, .clean = 3, .attacked = 3, .robust = true},
               {.label = 1, .clean = 1, .attacked = 2, .robust = false},
               {.label = 0, .clean = 7, .attacked = 7, .robust = false}};
  a.origins = {17, 4, 1000000};
  a.examples = {{{0.5f, 0.25f}, {0.5f, 1.f}}};
  a.adversarials = {0, 1, 2, 3, 4, 5};
  a.logits = {9, 8, 7};
  a.predicting = {.forwards = 3};
  a.attacking = {.forwards = 60, .backwards = 59};
  a.verifying = {.forwards = 6};
  a.audit = {3, 0.1, 0.2, 0.3, 0, 0.25, 1, 2};
  return p;
}

}  // namespace

TEST_CASE("a piece that is written is read again") {
  const support::Folder folder("state");
  for (const bool small : {false, true}) {
    eval::Piece p = piece();
    if (small) {
      p.accuracy.examples.clear();
      p.accuracy.adversarials.clear();
      p.accuracy.logits.clear();
      p.accuracy.audit = {};  // its range is infinite
    } else {
      p.accuracy.members = {"apgd-ce", "square"};
      p.accuracy.samples[1].member = 2;
    }
    eval::write_piece(folder.path / "piece.safetensors", p);
    const eval::Piece q =
        eval::read_piece(io::SafetensorsFile::read(folder.path / "piece.safetensors"));
    CHECK(q.key == p.key);
    CHECK(q.first == p.first);
    CHECK(q.seconds == p.seconds);
    REQUIRE(q.accuracy.samples.size() == 3);
    for (int i = 0; i < 3; ++i) {
      CHECK(q.accuracy.samples[i].label == p.accuracy.samples[i].label);
      CHECK(q.accuracy.samples[i].clean == p.accuracy.samples[i].clean);
      CHECK(q.accuracy.samples[i].attacked == p.accuracy.samples[i].attacked);
      CHECK(q.accuracy.samples[i].robust == p.accuracy.samples[i].robust);
      CHECK(q.accuracy.samples[i].member == p.accuracy.samples[i].member);
    }
    CHECK(q.accuracy.members == p.accuracy.members);
    CHECK(q.accuracy.origins == p.accuracy.origins);
    CHECK(q.accuracy.adversarials == p.accuracy.adversarials);
    CHECK(q.accuracy.logits == p.accuracy.logits);
    CHECK(q.accuracy.audit == p.accuracy.audit);
    CHECK(q.accuracy.attacking == p.accuracy.attacking);
    CHECK(q.accuracy.examples.size() == p.accuracy.examples.size());
    if (!small) CHECK(q.accuracy.examples[0].adversarial == p.accuracy.examples[0].adversarial);
  }
}

TEST_CASE("what is no piece gets one sentence") {
  const support::Folder folder("state");
  const auto refused = [&](const eval::Piece& p) {
    eval::write_piece(folder.path / "piece.safetensors", p);
    return support::error_of<FileError>(
        [&] { eval::read_piece(io::SafetensorsFile::read(folder.path / "piece.safetensors")); });
  };
  eval::Piece wrong = piece();
  wrong.accuracy.samples[1].robust = true;
  CHECK(refused(wrong).ends_with("sample 1 contradicts itself"));
  wrong = piece();
  wrong.accuracy.attacking.backwards = -1;
  CHECK(refused(wrong).find("expected counts") != std::string::npos);
  wrong = piece();
  wrong.accuracy.members = {"apgd-ce", "square"};  // sample 1 fell, to none of them
  CHECK(refused(wrong).ends_with("sample 1 contradicts itself"));
  wrong.accuracy.samples[1].member = 3;
  CHECK(refused(wrong).ends_with("sample 1 contradicts itself"));
  const float number = 1;
  const io::OutTensor other{"samples", io::Dtype::F32, {1}, &number};
  io::write_safetensors(folder.path / "other.safetensors", std::span(&other, 1));
  CHECK(support::error_of<FileError>([&] {
          eval::read_piece(io::SafetensorsFile::read(folder.path / "other.safetensors"));
        }).ends_with("expected the state of an evaluation, found no rnx.evaluation"));
}
