// What all programs share: presets, settings out of files, the configuration that is printed, and a
// run that is made again from its run.json.
#include "support.hpp"

using namespace tools_test;

namespace {

void write(const std::string& file, const std::string& text) { std::ofstream(file) << text; }
nlohmann::json json_of(const Result& r) {
  REQUIRE_MESSAGE(r.code == 0, r.text);
  return nlohmann::json::parse(r.text);
}

}  // namespace

TEST_CASE("a run that is made again from its run.json has its bits") {
  const Folder f;
  const std::string first = train + tiny +
                            " --objective pgd --attack-steps 1 --lr 0.03 --no-augment --seed 7 "
                            "--schedule multistep --milestones 0.25,0.5 --mean 0.5,0.25,0.125 "
                            "--std 0.25,0.25,0.5 --epochs 2 --final-pgd-n 4 --out ";
  REQUIRE(call(f, first + (f / "run")).code == 0);
  const std::string again = train + " --config " + (f / "run/run.json") + " --out ";
  REQUIRE(call(f, again + (f / "again")).code == 0);
  CHECK(read(f / "again/model.safetensors") == read(f / "run/model.safetensors"));
  const auto options = [&](const std::string& run) {
    return nlohmann::json::parse(read(f / (run + "/run.json"))).at("options");
  };
  CHECK(options("again") == options("run"));
  CHECK(options("run").at("milestones") == nlohmann::json{0.25, 0.5});
  CHECK(!options("run").contains("out"));
  CHECK(!options("run").contains("progress"));
  REQUIRE(call(f, again + (f / "other") + " --seed 8").code == 0);
  CHECK(read(f / "other/model.safetensors") != read(f / "run/model.safetensors"));

  const std::string weights = " --weights " + (f / "run/model.safetensors");
  REQUIRE(call(f, eval + " --preset smoke --n-ex 4 --model dnn --attack clean fgsm --out " +
                      (f / "eval") + weights)
              .code == 0);
  REQUIRE(call(f, eval + " --config " + (f / "eval/run.json") + " --out " + (f / "eval2")).code ==
          0);
  CHECK(read(f / "eval2/per_sample.csv") == read(f / "eval/per_sample.csv"));
  refused(call(f, eval + " --config " + (f / "run/run.json")), 2,
          "this is a run.json of rnx-train, not of rnx-eval");
  refused(call(f, eval + " --config " + (f / "eval/run.json") + " --n-ex 3 --out " + (f / "eval")),
          2, "holds an evaluation with other options: n-ex was 4 and is 3");
  refused(call(f, train + " --config " + (f / "run/run.json") + " --out " + (f / "eval")), 2,
          "holds a run of another program, rnx-eval");
}

TEST_CASE("--print-config writes what --config takes back; the command line wins") {
  const Folder f;
  const std::string some =
      " --preset smoke --milestones 0.1,0.9 --no-augment --data 'a \"#\" \\b' --seed "
      "18446744073709551615 --lr 1e-9 --out x";
  for (const std::string form : {"toml", "json"}) {
    CAPTURE(form);
    const Result printed = call(f, train + some + " --print-config=" + form);
    REQUIRE_MESSAGE(printed.code == 0, printed.text);
    write(f / form, printed.text);
    const std::string again = train + " --print-config=" + form + " --config " + (f / form);
    CHECK(call(f, again).text == printed.text);
  }
  const auto all = json_of(call(f, train + " --config " + (f / "toml") + " --print-config=json"));
  CHECK(all == nlohmann::json::parse(read(f / "json")));
  CHECK(all.at("data") == "a \"#\" \\b");
  CHECK(all.at("seed") == 18446744073709551615u);
  CHECK(all.at("batch") == 64);
  CHECK(all.at("augment") == false);
  CHECK(all.at("out") == "x");
  CHECK(!fs::exists("x"));

  write(f / "some.toml",
        "# comment\npreset = \"smoke\"\nlr = 0.03  # more\nepochs = 3\n"
        "milestones = [\n  0.25, # one\n  0.75,\n]\naugment = true\n");
  const auto won =
      json_of(call(f, train + " --epochs 7 --no-augment --config " + (f / "some.toml") +
                          " --print-config=json --milestones 0.5"));
  CHECK(won.at("epochs") == 7);
  CHECK(won.at("lr") == 0.03);
  CHECK(won.at("batch") == 64);
  CHECK(won.at("augment") == false);
  CHECK(won.at("milestones") == nlohmann::json{0.5});
  const auto other = json_of(
      call(f, train + " --preset small --config " + (f / "some.toml") + " --print-config=json"));
  CHECK(other.at("batch") == 128);
  CHECK(other.at("epochs") == 3);
  const auto paper = json_of(call(f, eval + " --preset paper --print-config=json"));
  CHECK(paper.at("attack").size() == 2);
  CHECK(json_of(call(f, eval + " --preset paper --attack fgsm --print-config=json")).at("attack") ==
        nlohmann::json{"fgsm"});
}

TEST_CASE("settings out of a file: what is wrong gets one sentence that names the file") {
  const Folder f;
  const auto with = [&](const std::string& text) {
    write(f / "s", text);
    return call(f, train + tiny + " --out " + (f / "out") + " --config " + (f / "s"));
  };
  const std::string s = f / "s";
  refused(with("epohcs = 3"), 2, s + ": the option epohcs is unknown; did you mean --epochs?");
  refused(with("{\"weights\": \"x\"}"), 2, "the option weights is unknown; did you mean --init?");
  refused(with("keep = \"many\""), 2, s + ": keep: expected a whole number, found \"many\"");
  refused(with("{\"keep\": 1.5}"), 2, s + ": keep: expected a whole number, found 1.5");
  refused(with("{\"lr\": [0.1]}"), 2, s + ": lr: expected a number, found [0.1]");
  refused(with("{\"augment\": 3}"), 2, s + ": augment: expected true or false, found 3");
  refused(with("{\"objective\": true}"), 2, s + ": objective: expected a text, found true");
  refused(with("{\"milestones\": [0.5, \"x\"]}"), 2, s + ": milestones: expected a number");
  refused(with("milestones = []"), 2, s + ": milestones: expected at least one value");
  refused(with("keep = 0"), 2, s + ": --keep: expected a whole number from 1 to ");
  refused(with("objective = \"natrual\""), 2, s + ": --objective: 'natrual' is unknown");
  refused(with("preset = \"smoek\""), 2, "did you mean smoke?");
  refused(with("no-augment = true"), 2, "a file says augment = true or false");
  refused(with("dry-run = true"), 2, s + ": dry-run is for the command line");
  refused(with("{\"program\": \"rnx-train\"}"), 2, "this run.json holds no options");
  refused(with("{\"keep\": 1,\n"), 3, s + ", line 2: expected JSON");
  for (const auto& [text, sentence] : std::vector<std::pair<std::string, std::string>>{
           {"keep 3", "line 1: expected key = value"},
           {"keep = 1\nkeep = 2", "line 2: the key \"keep\" is there twice"},
           {"\nkeep = 1 2", "line 2: expected the end of the line"},
           {"keep = one", "line 1: expected a value"},
           {"keep = 1x2", "line 1: \"1x2\" is no number"},
           {"[a]\nkeep = 1", "line 1: expected a key"},
           {"a.b = 1", "line 1: expected a key"},
           {"model = \"dnn", "line 1: expected the end of a string"},
           {"model = \"\"\"dnn\"\"\"", "line 1: strings of several lines"},
           {"model = \"\\q\"", "line 1: expected \\\""},
           {"milestones = [0.5 0.6]", "line 1: expected , or ]"}}) {
    CAPTURE(text);
    refused(with(text), 3, s + ", " + sentence);
  }
  refused(call(f, train + " --config " + (f / "nowhere")), 3, "nowhere");
  refused(call(f, train + " --print-config=yaml"), 2, "known are toml, json");
  CHECK(!fs::exists(f / "out"));
}

TEST_CASE("a long evaluation says how far it is") {
  const TrainedTiny f;
  const Result r = call(f, eval +
                               " --dataset synthetic --model dnn --n-ex 20 --batch 2 --attack "
                               "pgd:steps=3 --progress bar --weights " +
                               f.weights() + " --out " + (f / "eval"));
  CHECK_MESSAGE(r.text.find("/20 images, ") != r.text.npos, r.text);
  CHECK(r.text.find("run, pgd:steps=3") != r.text.npos);
}
