// What is refused before work.
#include "support.hpp"

using namespace tools_test;

TEST_CASE("numbers: whatever is outside an option's range gets its sentence") {
  const Folder f;
  const std::string with = train + tiny + " --out " + (f / "out");
  for (const char* value : {"-1", "1e999", "nan", "inf", "9223372036854775808",
                            "18446744073709551616", "''", "abc", "1.5", "8/0"}) {
    CAPTURE(value);
    for (const char* option : {"epochs", "batch", "attack-steps", "replays", "keep", "eval-n",
                               "n-train", "threads", "loader-threads", "image-size"})
      refused(call(f, with + " --" + option + " " + value), 2,
              std::string("--") + option + ": expected a whole number from ");
  }
  for (const char* value : {"-1", "1e999", "nan", "inf", "''", "abc", "8/0"}) {
    CAPTURE(value);
    for (const char* option : {"lr", "warm", "gamma", "momentum", "weight-decay", "label-smoothing",
                               "beta", "save-every", "milestones"})
      refused(call(f, with + " --" + option + " " + value), 2,
              std::string("--") + option + ": expected a ");
  }
  for (const char* value : {"-1", "18446744073709551616"})
    refused(call(f, with + " --seed " + value), 2,
            "--seed: expected a whole number from 0 to 18446744073709551615");
  for (const char* option : {"threads", "loader-threads"})
    refused(call(f, with + " --" + option + " 100000"), 2,
            std::string("--") + option + ": expected a whole number from ");
  refused(call(f, with + " --objective pgd --eps 8/inf"), 2,
          "--eps: '8/inf' is not a finite number");
  refused(call(f, with + " --lr 1e30 --schedule constant"), 2, "a smaller --lr may train");
  CHECK(call(f, train + " --version").text.starts_with("rnx-train 0.1.0, kernels for "));
  CHECK(call(f, with + " --seed 18446744073709551615 --dry-run").code == 0);
}

TEST_CASE("a test split that does not fit is refused before the first batch") {
  const Folder f;
  const std::string with =
      train + " --model dnn --dataset idx --data " + (f / "data") + " --out " + (f / "out");
  write_idx(f, "train", 20, 28, 9);
  write_idx(f, "t10k", 10, 32, 9);
  refused(call(f, with), 3, "the training images are (1, 28, 28), the test images (1, 32, 28)");
  write_idx(f, "t10k", 10, 28, 12);
  refused(call(f, with), 3, "the training images have 10 classes, the test images 13");
  CHECK(!fs::exists(f / "out"));
}

TEST_CASE("outputs that cannot be written are refused before work; extras cost no result") {
  const TrainedTiny f;
  const std::string with = f.evaluate() + " --out " + (f / "eval");
  fs::create_directories(f / "eval/report.json");
  refused(call(f, with), 3,
          "--out: expected a file to write, found " + (f / "eval/report.json") + ", a folder");
  fs::remove_all(f / "eval");
  refused(call(f, with + " --save-logits " + (f / "data")), 3,
          "--save-logits: expected a file to write");
  refused(call(f, with + " --save-logits " + (f / "run/run.json/x.npy")), 3,
          "--save-logits: the folder");
  refused(call(f, f.evaluate() + " --out ''"), 2, "--out: expected the name of a folder");
  refused(call(f, f.evaluate() + " " + f.weights() + " --out " + (f / "eval")), 2,
          "two models would be called 'run'");
  CHECK(!fs::exists(f / "eval"));
  CHECK(call(f, with + " --save-logits " + (f / "new/folder/x.npy")).code == 0);
  CHECK(fs::exists(f / "new/folder/x.npy"));

  fs::remove_all(f / "eval");
  fs::create_directories(f / "eval/report.html");
  fs::create_directories(f / "eval/per_sample.csv");
  std::ofstream(f / "run/metrics.csv") << "no,metrics\n";
  const Result r = call(f, with);
  CHECK_MESSAGE(r.code == 0, r.text);
  for (const char* text : {"no training curves are shown", "but not this: ",
                           "report.html: cannot be replaced", "per_sample.csv: cannot be replaced"})
    CHECK_MESSAGE(r.text.find(text) != r.text.npos, r.text);
  CHECK(nlohmann::json::accept(read(f / "eval/report.json")));

  fs::create_directories(f / "broken/model.safetensors");
  refused(call(f, train + tiny + " --out " + (f / "broken")), 3,
          "broken/model.safetensors, a folder");
  CHECK(!fs::exists(f / "broken/run.json"));
  std::ofstream(f / "plain") << "x";
  refused(call(f, train + tiny + " --out " + (f / "plain/x")), 3, "is not a folder");
  write_records(f / "data/data_batch_1.bin", 8);
  write_records(f / "data/test_batch.bin", 4);
  refused(call(f, train + tiny + " --dataset cifar10 --data " + (f / "data") + " --out " +
                      (f / "data")),
          2, "is a part of the data set");
}

TEST_CASE("closed descriptors, a full stdout and a limit of file sizes") {
  const TrainedTiny f;
  CHECK(call(f, "exec >&- 2>&- <&-; exec " + train + tiny + " --out " + (f / "closed")).code == 0);
  CHECK(read(f / "closed/model.safetensors") == read(f.weights()));
  CHECK(read(f / "closed/.lock").empty());
  refused(call(f, convert + " summary " + f.weights() + " > /dev/full"), 3,
          "stdout: cannot be written");
  const Result piped =
      call(f, "( " + convert + " summary " + f.weights() + "; echo code $? >&2 ) | head -1");
  CHECK_MESSAGE(piped.text.find("code 0") != std::string::npos, piped.text);
  refused(call(f, "ulimit -f 64; " + train + tiny + " --out " + (f / "limited")), 3,
          "cannot be written: File too large");
  refused(call(f, "ulimit -f 1; " + f.evaluate() + " --out " + (f / "eval")), 3,
          "cannot be written: File too large");
}
