// What is refused before work, what a signal does, and runs that start from weights.
#include "support.hpp"

using namespace tools_test;

namespace {

const std::string tiny =
    " --dataset synthetic --model dnn --n-train 16 --n-test 8 --epochs 1 --batch 8 --eval-n 0 "
    "--eval-pgd-n 0 --final-pgd-n 0 --progress plain";

/// One small run, in "run" of its folder.
struct Trained : Folder {
  Trained() { REQUIRE(call(*this, train + tiny + " --out " + (*this / "run")).code == 0); }
  std::string weights() const { return *this / "run/model.safetensors"; }
  std::string evaluate() const {
    return eval + " --dataset synthetic --model dnn --n-ex 8 --attack clean --weights " + weights();
  }
};

void write_idx(const Folder& f, const std::string& prefix, int n, int height, int label_of_last) {
  std::string images{0, 0, 8, 3, 0, 0, 0, char(n), 0, 0, 0, char(height), 0, 0, 0, 28},
      labels{0, 0, 8, 1, 0, 0, 0, char(n)};
  images.append(std::size_t(n) * height * 28, '\x40');
  for (int i = 0; i < n; ++i) labels += char(i + 1 == n ? label_of_last : i % 10);
  std::ofstream(f / ("data/" + prefix + "-images-idx3-ubyte"), std::ios::binary) << images;
  std::ofstream(f / ("data/" + prefix + "-labels-idx1-ubyte"), std::ios::binary) << labels;
}

/// A program in the background; its stderr is in `errors`.
struct Process {
  pid_t id = 0;
  Process(const Folder& f, const std::string& command, int ignored = 0) {
    id = ::fork();
    if (id != 0) return;
    if (ignored) ::signal(ignored, SIG_IGN);
    ::execl("/bin/sh", "sh", "-c",
            ("exec " + command + " > /dev/null 2> " + (f / "errors")).c_str(), nullptr);
    ::_exit(127);
  }
  /// Until there is such a file, or for two minutes.
  void wait_for(const fs::path& file) const {
    for (int k = 0; k < 12000 && !fs::exists(file); ++k) ::usleep(10000);
  }
  /// The wait status, or -1 after two minutes.
  int wait() const {
    int status = 0;
    for (int k = 0; k < 12000; ++k, ::usleep(10000))
      if (::waitpid(id, &status, WNOHANG) == id) return status;
    ::kill(id, SIGKILL);
    ::waitpid(id, &status, 0);
    return -1;
  }
};
bool stopped_cleanly(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 75; }

}  // namespace

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
  const Trained f;
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
  const Trained f;
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

TEST_CASE("--init: a new run from weights; the way on is named where a run cannot go on") {
  const Trained f;
  const std::string longer = train + tiny + " --epochs 2";
  const std::string hint = "--init " + f.weights() + " --out NEW";
  refused(call(f, longer + " --out " + (f / "run")), 2, hint);
  refused(call(f, longer + " --resume " + (f / "run") + " --out " + (f / "b")), 2,
          "/model.safetensors starts a new run");
  refused(call(f, longer + " --weights " + f.weights()), 2, "did you mean --init?");
  const std::string with = longer + " --init " + f.weights() + " --out " + (f / "tuned");
  REQUIRE(call(f, with).code == 0);
  const std::string tuned = read(f / "tuned/model.safetensors");
  CHECK(nlohmann::json::parse(read(f / "tuned/run.json"))
            .at("configuration")
            .at("init")
            .at("checksum")
            .get<std::string>()
            .size() == 16);
  CHECK(call(f, with).code == 0);  // the same run
  CHECK(read(f / "tuned/model.safetensors") == tuned);
  refused(call(f, longer + " --out " + (f / "tuned")), 2, "init was");
  REQUIRE(call(f, longer + " --out " + (f / "fresh")).code == 0);
  CHECK(read(f / "fresh/model.safetensors") != tuned);
  // a rate of zero and a frozen beginning: what was loaded is what comes out
  REQUIRE(call(f, train + tiny + " --lr 0 --schedule constant --weight-decay 0 --init " +
                      f.weights() + " --out " + (f / "still"))
              .code == 0);
  CHECK(read(f / "still/ckpt/000002/model.safetensors") ==
        read(f / "run/ckpt/000002/model.safetensors"));

  write_idx(f, "train", 20, 28, 9);
  write_idx(f, "t10k", 10, 28, 9);
  const std::string idx = train + " --model dnn --dataset idx --data " + (f / "data") +
                          " --epochs 1 --eval-n 0 --eval-pgd-n 0 --final-pgd-n 0";
  REQUIRE(call(f, idx + " --out " + (f / "ten")).code == 0);
  write_idx(f, "train", 20, 28, 11);
  const std::string other =
      idx + " --out " + (f / "twelve") + " --init " + (f / "ten/model.safetensors");
  refused(call(f, other), 3,
          "has 10 classes, the data set 12; --init-skip-head starts the last layer anew");
  const Result r = call(f, other + " --init-skip-head");
  CHECK_MESSAGE(r.code == 0, r.text);
}

TEST_CASE("class names travel with the weights, and contradicting ones are refused") {
  const Trained f;
  CHECK(call(f, convert + " summary " + f.weights()).text.find("rnx.classes: [\"disc\",\"ring\"") !=
        std::string::npos);
  std::string bytes = read(f.weights());
  const auto at = bytes.find("\\\"disc\\\",\\\"ring\\\"");
  REQUIRE(at != bytes.npos);
  bytes.replace(at, 17, "\\\"ring\\\",\\\"disc\\\"");
  std::ofstream(f / "other.safetensors", std::ios::binary) << bytes;
  const std::string with = eval +
                           " --dataset synthetic --model dnn --n-ex 4 --attack clean --out " +
                           (f / "eval") + " --weights ";
  refused(call(f, with + (f / "other.safetensors")), 3,
          "class 0 of these weights is \"ring\", that of the data set is \"disc\"");
  refused(call(f, with + f.weights() + " " + (f / "other.safetensors")), 3,
          "that of the other weights is \"disc\"");
}

TEST_CASE(
    "SIGHUP and SIGUSR1 save as SIGTERM does; what was ignored stays ignored; an attack ends "
    "within a step") {
  const Trained f;
  const std::string endless = train + tiny + " --epochs 1000000 --save-every-steps 1 --out ";
  for (const int signal : {SIGHUP, SIGUSR1, SIGTERM, SIGINT}) {
    CAPTURE(signal);
    const std::string out = f / ("signal" + std::to_string(signal));
    const Process p(f, endless + out);
    p.wait_for(out + "/ckpt/LATEST");
    ::kill(p.id, signal);
    CHECK(stopped_cleanly(p.wait()));
    CHECK(read(f / "errors").find("stopping after this step") != std::string::npos);
  }
  for (const int signal : {SIGHUP, SIGINT}) {
    CAPTURE(signal);
    const std::string out = f / ("ignored" + std::to_string(signal));
    const Process p(f, endless + out, signal);
    p.wait_for(out + "/ckpt/LATEST");
    const auto latest = [&] { return std::atol(read(out + "/ckpt/LATEST").c_str()); };
    const long before = latest();
    ::kill(p.id, signal);
    for (int k = 0; k < 6000 && latest() < before + 4; ++k) ::usleep(10000);
    CHECK(latest() >= before + 4);
    ::kill(p.id, SIGUSR1);
    CHECK(stopped_cleanly(p.wait()));
  }
  // a batch of this attack takes hours
  const Process p(
      f, eval +
             " --dataset synthetic --model dnn --n-ex 200 --attack pgd:steps=1000000 --weights " +
             f.weights() + " --out " + (f / "attack"));
  p.wait_for(f / "attack/run.json");
  ::kill(p.id, SIGINT);
  CHECK(stopped_cleanly(p.wait()));
  CHECK(!fs::exists(f / "attack/report.json"));
  const Process twice(
      f, eval +
             " --dataset synthetic --model dnn --n-ex 200 --attack pgd:steps=1000000 --weights " +
             f.weights() + " --out " + (f / "twice"));
  const Result both =
      call(f, "while [ ! -e " + (f / "twice/run.json") + " ]; do sleep 0.1; done; " + f.evaluate() +
                  " --out " + (f / "twice"));
  refused(both, 3, "is in use by another rnx-eval");
  ::kill(twice.id, SIGTERM);
  CHECK(stopped_cleanly(twice.wait()));
}

TEST_CASE("an out folder that is deleted in mid-run is made again, and said") {
  const Folder f;
  const Process run(f, train +
                           " --dataset synthetic --model dnn --n-train 512 --n-test 8 --batch 8 "
                           "--epochs 12 --eval-n 0 --eval-pgd-n 0 --final-pgd-n 0 --out " +
                           (f / "run"));
  run.wait_for(f / "run/ckpt/LATEST");
  fs::rename(f / "run", f / "gone");  // at once, and then its files
  fs::remove_all(f / "gone");
  const int status = run.wait();
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(read(f / "errors").find("run.json was deleted while the run goes on") != std::string::npos);
  for (const char* file : {"run.json", "log.jsonl", "metrics.csv", "model.safetensors"})
    CHECK(fs::exists(f / ("run/" + std::string(file))));
  CHECK(read(f / "run/metrics.csv").starts_with("epoch,"));
}
