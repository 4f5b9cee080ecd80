// rnx-train and rnx-eval as their users call them, on a data set of a few images in CIFAR-10's binary format.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

namespace {
namespace fs = std::filesystem;
struct Folder {
  fs::path path = fs::temp_directory_path() / ("rnx_tools_test_" + std::to_string(std::uintptr_t(this)));
  Folder() { fs::create_directories(path / "data"); }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};
void write_records(const std::string& file, int n, int label_of_last = -1, int cut = 0) {
  std::string bytes;
  for (int i = 0; i < n; ++i) {
    bytes += char(i + 1 == n && label_of_last >= 0 ? label_of_last : i % 10);
    for (int k = 0; k < 3072; ++k) bytes += char((k * (i % 10 + 1) + 31 * i) & 255);
  }
  bytes.resize(bytes.size() - cut);
  std::ofstream(file, std::ios::binary) << bytes;
}
struct Result { int code; std::string text; };
Result call(const Folder& f, const std::string& command) {
  const std::string out = f / "output.txt";
  const int status = std::system((command + " > " + out + " 2>&1").c_str());
  std::ifstream in(out);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, std::string(std::istreambuf_iterator<char>(in), {})};
}
void refused(const Result& r, int code, const std::string& fragment) {
  CHECK_MESSAGE(r.code == code, r.text);
  CHECK_MESSAGE(r.text.find(fragment) != std::string::npos, r.text);
}
const std::string train = RNX_TRAIN, eval = RNX_EVAL;
}  // namespace

TEST_CASE("train, then evaluate: report.json and per_sample.csv; bad input gets one sentence and loses nothing") {
  Folder f;
  write_records(f / "data/data_batch_1.bin", 24);
  write_records(f / "data/test_batch.bin", 20);
  const std::string data = " --data " + (f / "data");
  const Result trained = call(f, train + data + " --epochs 1 --batch 12 --n-attack 5 --objective adversarial --steps 1 --seed 3 --out " + (f / "run"));
  REQUIRE_MESSAGE(trained.code == 0, trained.text);
  const std::string weights = f / "run/model.safetensors";
  REQUIRE(fs::exists(weights));
  const Result evaluated = call(f, eval + data + " --weights " + weights + " --n-ex 10 --attack pgd:steps=2,step=2/255,restarts=2,start=random --out " + (f / "eval"));
  REQUIRE_MESSAGE(evaluated.code == 0, evaluated.text);
  const auto report = nlohmann::json::parse(std::ifstream(f / "eval/report.json"));
  CHECK(report.at("n") == 10);
  CHECK(report.at("robust_acc") <= report.at("clean_acc"));
  std::ifstream csv(f / "eval/per_sample.csv");
  std::string line;
  std::getline(csv, line);
  CHECK(line == "index,label,clean_pred,attacked_pred,robust");
  int rows = 0;
  while (std::getline(csv, line)) ++rows;
  CHECK(rows == 10);

  const auto size = fs::file_size(weights);
  const std::string with = eval + data + " --n-ex 2 --out " + (f / "eval2") + " --weights " + weights;
  refused(call(f, with + " --eps -1/255"), 2, "eps must not be negative");
  refused(call(f, with + " --eps 2"), 2, "eps in Linf must be at most 1");
  refused(call(f, with + " --eps 8/zero"), 2, "is not a number or a fraction");
  refused(call(f, with + " --attack pgd:stepz=3"), 2, "'stepz=3' is not understood");
  refused(call(f, with + " --attack fly"), 2, "known are clean, fgsm, pgd");
  refused(call(f, with + " --norm l7"), 2, "known are linf and l2");
  refused(call(f, with + " --model resnet21"), 2, "this program knows");
  refused(call(f, with + " --model resnet56"), 3, "belong to another network");
  refused(call(f, with + " --nonsense"), 2, "nonsense");
  refused(call(f, eval + data + " --weights " + (f / "absent.safetensors")), 3, "absent.safetensors");
  refused(call(f, eval + " --data " + (f / "nowhere") + " --weights " + weights), 3, "nowhere");
  refused(call(f, train + " --data " + (f / "nowhere")), 3, "nowhere");

  write_records(f / "data/test_batch.bin", 20, 10);
  refused(call(f, eval + data + " --n-ex 0 --out " + (f / "eval2") + " --weights " + weights), 3, "label");
  write_records(f / "data/test_batch.bin", 20, -1, 7);
  refused(call(f, with), 3, "3073");
  fs::remove(f / "data/test_batch.bin");
  refused(call(f, with), 3, "test_batch.bin");
  std::ofstream(f / "data/test_batch.bin");
  refused(call(f, with), 3, "test_batch.bin");
  fs::resize_file(weights, size / 2);
  write_records(f / "data/test_batch.bin", 20);
  refused(call(f, with), 3, "model.safetensors");
}
