// Runs that start from weights, and the names of classes that weights carry.
#include "support.hpp"

using namespace tools_test;

TEST_CASE("--init: a new run from weights; the way on is named where a run cannot go on") {
  const TrainedTiny f;
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
  const TrainedTiny f;
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
