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
  refused(call(f, convert + " summry " + f.weights), 2, "did you mean summary?");
  refused(call(f, convert + " from-npy " + (f / "nowhere") + " " + (f / "x.safetensors")), 3,
          "nowhere");
  refused(call(f, convert + " summary " + (f / "run/run.json")), 3, "run.json");
  refused(call(f, convert + " summary " + f.weights + " more"), 2, "one argument too many");
  refused(call(f, convert + " --modle x"), 2, "did you mean --model?");
}
