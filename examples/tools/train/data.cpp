// Phase 1: the images.
#include "phases.hpp"

namespace training {

using namespace rnx;

namespace {

/// Refuses a test split that a network for the training split could not be evaluated with. Errors:
/// FileError.
void require_fit(Dims train, int train_classes, Dims test, int test_classes) {
  require<FileError>(test == train, [&] {
    return fmt::format("--data: the training images are {}, the test images {}", train.text(),
                       test.text());
  });
  require<FileError>(test_classes <= train_classes, [&] {
    return fmt::format("--data: the training images have {} classes, the test images {}",
                       train_classes, test_classes);
  });
}

/// Refuses data that cannot be trained on and evaluated with, and a schedule that is none for so
/// many steps. Errors: UsageError, FileError.
void check_data(const Arguments& a, const tools::DataSet& set) {
  require(std::size_t(a.holdout) < set.train->size(), [&] {
    return fmt::format("--holdout: {} of {} training images leave none to train on", a.holdout,
                       set.train->size());
  });
  require_fit(set.train->dims(), set.train->classes(), set.test->dims(), set.test->classes());
  require<FileError>(set.test->size() > 0, "--data: there are no test images");
  const long batches = batches_per_epoch(a, set);
  a.rates()(0, batches * a.epochs * (a.objective == "free" ? a.replays : 1));
}

}  // namespace

void check_before_data(const Arguments& a) {
  a.check();
  a.check_attack();
  for (const char* text : {pgd10, pgd20}) attack(a, text);
  a.make_optimizer();
  const tools::DataFacts facts = tools::describe_data(a.data, true, true);
  tools::require_model(a.model, *facts.train);
  require_fit(facts.train->dims, facts.train->classes, facts.test->dims, facts.test->classes);
  if (!a.init.empty()) io::SafetensorsFile::read(a.init);
  if (!a.teacher.empty()) io::SafetensorsFile::read(a.teacher);
  if (a.dry_run) return;
  tools::RunDirectory::require_place(a.out);
  tools::require_apart("--out", a.out, a.data.dir);
}

tools::DataSet read_data(const Arguments& a, tools::Display& display) {
  display.phase("reading the images");
  tools::DataSet set = tools::open_data(a.data, true, true);
  for (const std::string& s : set.skipped) tools::complain("rnx-train: skipped " + s);
  for (const std::string& note : set.notes) tools::complain("rnx-train: " + note);
  display.done();
  check_data(a, set);
  display.say(fmt::format("data: {}, {} training and {} test images of {}", set.name,
                          training_size(a, set), set.test->size(), set.train->dims().text()));
  return set;
}

}  // namespace training
