// rnx-convert as its users call it.
#include "support.hpp"

using namespace tools_test;

TEST_CASE("rnx-convert: npy and back, summary, verify") {
  const TrainedResnet f;
  CHECK(call(f, convert + " to-npy " + f.weights + " " + (f / "arrays")).code == 0);
  CHECK(fs::exists(f / "arrays/layer1.0.conv1.weight.npy"));
  CHECK(call(f, convert + " from-npy " + (f / "arrays") + " " + (f / "again.safetensors")).code ==
        0);
  const Result verified = call(f, convert + " verify " + (f / "again.safetensors"));
  CHECK_MESSAGE(verified.code == 0, verified.text);
  CHECK(verified.text.find("269722 parameters") != std::string::npos);
  CHECK(call(f, convert + " verify " + f.weights).text.find("self-test: passed") !=
        std::string::npos);
  CHECK(call(f, convert + " summary " + f.weights).text.find("layer3.2.bn2.running_var") !=
        std::string::npos);
  // a state dict of other names; the weights are the same
  const std::string dict = f / "dict.safetensors", own = f / "own.safetensors";
  std::string bytes = read(f / "again.safetensors");
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = bytes.find(from, at)) != bytes.npos; at += to.size())
      bytes.replace(at, from.size(), to);
  };
  replace("\"normalize.mean\"", "\"mu\"            ");
  replace("\"normalize.std\"", "\"sigma\"        ");
  replace("\"fc.weight\"", "\"no.weight\"");
  replace("\"fc.bias\"", "\"no.bias\"");
  std::ofstream(dict, std::ios::binary) << bytes;
  const std::string rename = convert + " rename " + dict + " " + own + " ";
  refused(call(f, rename + "--names robustbench"), 3, "missing 2 (fc.weight, fc.bias)");
  refused(call(f, rename + "--names zoo"), 2, "known is robustbench");
  refused(call(f, rename + "--rename no"), 2, "expected FROM=TO");
  refused(call(f, rename + "--names robustbench --rename no=fc --mean 0,0,0 --std 1,1,1"), 3,
          "it has a mean and a deviation of its own");
  CHECK(!fs::exists(own));
  const Result renamed = call(f, rename + "--names robustbench --rename no=fc");
  REQUIRE_MESSAGE(renamed.code == 0, renamed.text);
  CHECK(call(f, convert + " to-npy " + own + " " + (f / "renamed")).code == 0);
  for (const char* name : {"normalize.mean.npy", "fc.weight.npy", "layer3.2.bn2.running_var.npy"})
    CHECK(read(f.path / "renamed" / name) == read(f.path / "arrays" / name));
  refused(call(f, convert + " summry " + f.weights), 2, "did you mean summary?");
  refused(call(f, convert + " from-npy " + (f / "nowhere") + " " + (f / "x.safetensors")), 3,
          "nowhere");
  refused(call(f, convert + " summary " + (f / "run/run.json")), 3, "run.json");
  refused(call(f, convert + " summary " + f.weights + " more"), 2, "one argument too many");
  refused(call(f, convert + " --modle x"), 2, "did you mean --model?");
}
