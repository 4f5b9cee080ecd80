// Objectives that compare layers, and batch norms with two paths, against PyTorch: papers 000 and
// 001.
#include "golden/objectives.hpp"

#include <rnx/train/distill_terms.hpp>

using namespace rnx;
using namespace rnx::train;

namespace {

const Rows first_half{0, .5}, second_half{.5, 1};

/// RLNet's eq. 6, or eq. 7 with what `clean` and `aug` add on their passes. Guide: the teacher's
/// pass that adversarial images follow, "t" or what `guide` provides.
template <fixed_string Guide, class Pass, class Clean, class Aug>
auto rlnet(const golden::Tutoring& teacher, Pass guide, Clean clean, Aug aug) {
  const double each = 0.5 / 3;
  return objective(
      Augmented<"aug">{}, Teacher<"t">{.net = teacher},
      Teacher<"t2", "aug">{.net = teacher, .rows = first_half}, guide,
      Forward<"clean">{.rows = first_half}, Ce<"clean">{.weight = each},
      Kl<"clean", "t">{.weight = each, .temperature = 4}, clean, Forward<"aug">{.rows = first_half},
      Ce<"aug">{.weight = each}, Kl<"aug", "t">{.weight = each, .temperature = 4}, aug,
      Adversary<"adv", ByKl<Guide>>{
          .attack = golden::pgd, .loss = {.temperature = 4}, .path = 1, .rows = second_half},
      Forward<"adv">{.path = 1, .rows = second_half}, Ce<"adv">{.weight = each},
      Kl<"adv", Guide>{.weight = each, .temperature = 4});
}

}  // namespace

TEST_CASE("one step of RLNet's equations 1, 6 and 7 is PyTorch's: halves, two paths, attention") {
  const golden::ObjectiveCheck check;
  const auto teacher = golden::teacher();
  const auto augmented = [&](auto& step) { step.images(1) = check.images(1); };
  check("rlnet_eq1",
        objective(Augmented<"aug">{}, Forward<"clean">{.rows = first_half},
                  Forward<"aug">{.rows = first_half},
                  Adversary<"adv">{.attack = golden::pgd, .path = 1, .rows = second_half},
                  Forward<"adv">{.path = 1, .rows = second_half}, Ce<"clean">{.weight = 1. / 3},
                  Ce<"aug">{.weight = 1. / 3}, Ce<"adv">{.weight = 1. / 3}),
        augmented);
  const auto nothing = objective();
  check("rlnet_eq6", rlnet<"t">(teacher, nothing, nothing, nothing), augmented);
  const Teacher<"half"> half{.net = teacher, .rows = second_half};
  check("rlnet_eq6", rlnet<"half">(teacher, half, nothing, nothing), augmented);
  const std::vector<distill::AttentionPair> stages{{"relu1", "relu1"}, {"relu2", "relu2"}};
  check("rlnet_eq7",
        rlnet<"t">(teacher, nothing, Attention<"clean", "t">{.weight = 500, .pairs = stages},
                   Attention<"aug", "t2">{.weight = 500, .pairs = stages}),
        augmented);
}

TEST_CASE("one step of RNAS-CL's equation 3 is PyTorch's: the tutors that were found") {
  const golden::ObjectiveCheck check;
  const auto teacher = golden::teacher();
  const distill::TutorOptions layers{.student = {Keep::at("relu1"), Keep::at("relu2")},
                                     .teacher = {Keep::every(Kind::convolution)}};
  const auto found = [](auto& step) {
    double* logits = step.stage().part(0).mutable_parameters();
    for (int i = 0; i < 4; ++i) logits[i] = golden::u("tutor.logits", std::size_t(i));
  };
  check(
      "rnas_eq3",
      objective(Teacher<"t">{.net = teacher}, Forward<"clean">{}, Ce<"clean">{}, Kl<"clean", "t">{},
                Tutor<"clean", "t">{.weight = 2, .options = layers, .one_hot = true}),
      found);
}

TEST_CASE("one step of RNAS-CL's released terms is PyTorch's: weights and tutor logits") {
  const golden::ObjectiveCheck check;
  const auto teacher = golden::teacher();
  const distill::TutorOptions released{.student = {Keep::at("relu1"), Keep::at("relu2")},
                                       .teacher = {Keep::every(Kind::convolution)},
                                       .per_batch = true,
                                       .joint = true};
  const auto searched = [](auto& step) {
    double* logits = step.stage().part(0).mutable_parameters();
    const rng::Stream noise(0, Purpose::gumbel, 0, distill::loss_sites);  // of the step's draw
    for (int i = 0; i < 4; ++i)
      logits[i] = golden::u("tutor.logits", std::size_t(i)) - noise.gumbel(std::size_t(i));
  };
  check("rnas_released",
        objective(Teacher<"t">{.net = teacher}, Forward<"clean">{}, Ce<"clean">{},
                  Kl<"clean", "t">{.floor = 1e-6},
                  Tutor<"clean", "t">{.weight = 2, .options = released}),
        searched, {.temperature = 0.7});
}
