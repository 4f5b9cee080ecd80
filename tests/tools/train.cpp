// rnx-train as its users call it, on a few images: what it writes, what it refuses, and that a run
// directory keeps its run.
#include "support.hpp"

using namespace tools_test;

TEST_CASE("rnx-train: the files of a run") {
  const TrainedResnet f;
  for (const char* file :
       {"run.json", "log.jsonl", "metrics.csv", "ckpt/LATEST", "ckpt/BEST-clean", "ckpt/BEST-pgd",
        "ckpt/000002/state.json", "eval/final/report.json", "eval/final/report.html",
        "eval/final/report.md", "eval/final/per_sample.csv"})
    CHECK_MESSAGE(fs::exists(f.path / "run" / file), file);
  const auto run = nlohmann::json::parse(read(f / "run/run.json"));
  CHECK(run.at("configuration").at("objective") == "pgd");
  CHECK(run.at("configuration").at("fingerprint").get<std::string>().size() >= 16);
  CHECK(run.at("starts").size() == 1);
  CHECK(nlohmann::json::parse(
            read(f / "run/log.jsonl").substr(0, read(f / "run/log.jsonl").find('\n')))
            .contains("loader_wait_s"));
}

TEST_CASE("rnx-train: every objective trains") {
  const CifarFolder f;
  for (const char* objective : {"natural", "fgsm-rs", "free --norm l2 --eps 0.5", "trades",
                                "pgd --norm l2 --eps 0.5 --attack-step 0.1"}) {
    const Result r = call(f, train + f.data + f.small + " --objective " + objective +
                                 " --attack-steps 1 --replays 2 --no-augment --out " +
                                 (f / std::string("run_") + std::string(objective).substr(0, 4)));
    CHECK_MESSAGE(r.code == 0, r.text);
  }
}

TEST_CASE("rnx-train: a teacher's objectives, and what does not fit") {
  const TrainedResnet f;
  const std::string learn = train + f.data + f.small + " --attack-steps 1 --objective ";
  for (const std::string objective : {"kd", "ard", "rslad", "rrm"}) {
    const Result r = call(
        f, learn + objective + " --teacher " + f.weights + " --out " + (f / ("run_" + objective)));
    CHECK_MESSAGE(r.code == 0, r.text);
    const auto run = nlohmann::json::parse(read(f / ("run_" + objective + "/run.json")));
    CHECK(run.at("configuration").at("teacher").at("model") == "resnet20");
    CHECK(read(f / ("run_" + objective + "/log.jsonl")).find("\"values\":{") != std::string::npos);
  }
  refused(call(f, learn + "rslad --out " + (f / "none")), 2, "needs the weights of a teacher");
  refused(call(f, learn + "pgd --teacher " + f.weights + " --out " + (f / "none")), 2,
          "pgd training takes none");
  refused(call(f, learn + "kd --teacher " + (f / "data") + " --out " + (f / "none")), 3, "data");
  refused(
      call(f, learn + "kd --label-smoothing 0.1 --teacher " + f.weights + " --out " + (f / "none")),
      2, "--label-smoothing");
  CHECK(!fs::exists(f / "none"));
}

TEST_CASE("rnx-train: a wrong option gets one sentence and makes no folder") {
  const CifarFolder f;
  refused(call(f, train + f.data + " --objective natrual"), 2, "did you mean natural?");
  refused(call(f, train + " --dataset cifar11"), 2, "did you mean cifar10?");
  refused(call(f, train + " --dataset cifar10"), 2, "--data");
  refused(call(f, train + " --preset smok"), 2, "did you mean smoke?");
  refused(call(f, train + f.data + " --set preset=smoke"), 2, "--set");
  refused(call(f, train + f.data + " --weight-decay -1 --out " + (f / "poisoned")), 2, "decay");
  refused(call(f, train + f.data + " --objective trades --beta -1 --out " + (f / "poisoned")), 2,
          "--beta");
  CHECK(!fs::exists(f / "poisoned"));
  refused(call(f, train + f.data + " --out " + (f / std::string(300, 'x'))), 3, "--out");
  CHECK(call(f, train + " --bogus 2> /dev/full").code == 2);
  CHECK(call(f, train + " --help").text.find("--preset") != std::string::npos);
  const Result dry = call(f, train + f.data + " --dry-run --out " + (f / "dry"));
  CHECK(dry.text.find("layer3.2.conv2") != std::string::npos);
  CHECK(dry.text.find("40551040") != std::string::npos);
  CHECK(!fs::exists(f / "dry"));
  refused(call(f, train + f.data + " --out " + (f / "data/data_batch_1.bin")), 3, "cannot be made");
  if (::getuid() != 0) {  // root may write anywhere
    fs::create_directories(f / "closed");
    fs::permissions(f / "closed", fs::perms::owner_read | fs::perms::owner_exec);
    refused(call(f, train + f.data + " --out " + (f / "closed")), 3, "cannot be written");
  }
}

TEST_CASE("rnx-train: a run directory keeps its run") {
  const TrainedResnet f;
  const std::string again =
      train + f.data + f.small + " --objective pgd --attack-steps 1 --out " + (f / "run");
  const std::string before = read(f.weights);
  refused(call(f, again + " --lr 0.1"), 2, "lr was 0.2 and is 0.1");
  refused(call(f, again + " --resume never"), 2, "holds a run");
  CHECK(call(f, again).code == 0);  // finished: evaluated again
  CHECK(read(f.weights) == before);
  refused(call(f, train + f.data + f.small + " --objective pgd --attack-steps 1 --resume " +
                      (f / "nowhere") + " --out " + (f / "other")),
          3, "holds no checkpoint");
  const Result copied =
      call(f, train + f.data + f.small + " --objective pgd --attack-steps 1 --resume " +
                  (f / "run") + " --out " + (f / "copy"));
  CHECK_MESSAGE(copied.code == 0, copied.text);
  CHECK(read(f / "copy/model.safetensors") == before);
  refused(call(f, again + " --resume " + (f / "run/ckpt/000002")), 2, "choose another folder");
  const Result slash =
      call(f, train + f.data + f.small + " --objective pgd --attack-steps 1 --resume " +
                  (f / "run/ckpt/000002/") + " --out " + (f / "slash"));
  CHECK_MESSAGE(slash.code == 0, slash.text);
  CHECK(read(f / "slash/model.safetensors") == before);
  fs::remove(f / "run/run.json");
  refused(call(f, again + " --lr 0.1"), 2,
          "checkpoints of another configuration: lr was 0.2 and is 0.1");
  CHECK(call(f, again).code == 0);  // and nothing was spoilt
  for (const char* text : {"{}", "[]", "{\"configuration\": {}, \"starts\": []}"}) {
    std::ofstream(f / "run/run.json") << text;
    refused(call(f, again), 3, "run.json");
  }
}
