// log.jsonl, metrics.csv and the progress line: the values of an objective by name.
#include "support/error_of.hpp"
#include "support/folder.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <limits>

#include <rnx/train/log.hpp>

using namespace rnx;

namespace {
train::Progress with_values(int epoch, std::vector<train::NamedValue> values) {
  return {.epoch = epoch,
          .epochs = 3,
          .step = 2,
          .steps_in_epoch = 2,
          .done = 2 * epoch + 2,
          .total = 6,
          .loss = 0.5,
          .accuracy = std::numeric_limits<double>::quiet_NaN(),  // unlabelled data
          .values = std::move(values),
          .epoch_end = true};
}
std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
}  // namespace

TEST_CASE("logs hold the values of an objective by name") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  support::Folder folder("logs");
  const auto csv = folder.path / "metrics.csv";
  const std::string base =
      "epoch,train_loss,train_acc,clean_acc,pgd_acc,lr,images_per_s,loader_wait_s,seconds";
  {
    train::JsonLines log(folder.path / "log.jsonl", 0);
    train::CsvTable table(csv, 0);
    CHECK(text_of(csv) == base + "\n");
    train::Progress early = with_values(0, {{"ce.clean", 2}});
    early.epoch_end = false;
    table(early);  // a term may act in the later steps of an epoch alone
    const auto first = with_values(0, {{"ce.clean", 0.25}, {"kl.adv", nan}});
    log(first);
    table(first);
    table(with_values(1, {{"kl.adv", 0.125}}));
  }
  CHECK(text_of(csv) == base + ",ce.clean,kl.adv\n1,0.5,,,,0.0,0.0,0.0,0.0,0.25,\n" +
                            "2,0.5,,,,0.0,0.0,0.0,0.0,,0.125\n");
  const auto line = nlohmann::json::parse(text_of(folder.path / "log.jsonl"));
  CHECK(line.at("values").at("ce.clean") == 0.25);
  CHECK(line.at("values").at("kl.adv").is_null());
  CHECK(line.at("train_acc").is_null());
  CHECK_FALSE(train::progress_json(with_values(0, {})).contains("values"));

  train::CsvTable table(csv, 1);
  CHECK(support::error_of<UsageError>([&] {
          table(with_values(1, {{"ce.clean", 1}, {"match.x", 2}}));
        }) == csv.string() +
                  ": its columns are for an objective with the values ce.clean, kl.adv, this one "
                  "reports \"match.x\" too; another objective needs another file");
  table(with_values(1, {{"kl.adv", 3}, {"ce.clean", 4}}));
  CHECK(text_of(csv).ends_with(",0.25,\n2,0.5,,,,0.0,0.0,0.0,0.0,4.0,3.0\n"));
  CHECK(text_of(csv).starts_with(base + ",ce.clean,kl.adv\n1,"));

  train::CsvTable anew(csv, 0);  // no row is kept, so nothing is decided
  CHECK(text_of(csv) == base + "\n");
  for (const char* name : {"", "lr", "a,b", "a\"b", "a\nb"})
    CHECK(support::error_of<UsageError>([&] {
            anew(with_values(0, {{name, 1}}));
          }).find("expected a name without commas and quotes") != std::string::npos);
  anew(with_values(0, {{"other", 1}}));
  CHECK(text_of(csv).starts_with(base + ",other\n1,"));
}

TEST_CASE("the progress line stays below 120 columns") {
  train::Progress p = with_values(0, {{"ce.clean", 1.25}, {"kl.adv", 0.5}});
  p.accuracy = 0.5;
  CHECK(train::progress_line(p) ==
        "epoch 1/3  2/2  loss 0.5000  ce.clean 1.2500  kl.adv 0.5000  acc 50.0 %  0 img/s  eta "
        "0:00");
  p.values.resize(1);  // it is the loss
  CHECK(train::progress_line(p, 4) ==
        "epoch 1/3  [####] 2/2  loss 0.5000  acc 50.0 %  0 img/s  eta 0:00");
  for (int k = 0; k < 12; ++k) p.values.push_back({"term" + std::to_string(k), 0.125});
  CHECK(train::progress_line(p, 24) ==
        "epoch 1/3  [########] 2/2  loss 0.5000  ce.clean 1.2500  term0 0.1250  term1 0.1250  +10  "
        "acc 50.0 %  "
        "0 img/s  eta 0:00");
  p.epoch = 99;
  p.epochs = 240;
  p.scores = {.clean = 0.5, .pgd = 0.25};
  p.images_per_second = 123456;
  p.remaining = 1e5;
  p.checkpoint_age = 1e4;
  for (const int bar : {0, 4, 24, 60}) {
    p.values.resize(std::size_t(13 - bar / 5));
    const std::string line = train::progress_line(p, bar);
    CHECK_MESSAGE(line.size() < 120, line);
  }
}
