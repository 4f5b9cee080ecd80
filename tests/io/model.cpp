// Networks as files: PyTorch's state dict loads, ours is one; weights of another network and broken files change nothing.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include <rnx/io.hpp>

using namespace rnx;
using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;
namespace {
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("rnx_model_test_" + std::to_string(std::uintptr_t(this)));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};
std::vector<float> everything(const NetworkBase<float>& net) {
  std::vector<float> v;
  const auto add = [&](const auto& p) { v.insert(v.end(), p.value, p.value + p.count); };
  net.visit(add), net.visit_buffers(add);
  return v;
}
/// A state dict as PyTorch users have it: float32, with num_batches_tracked.
void write_torch(const std::filesystem::path& path, const Net& net, const std::string& without = "", const std::string& extra = "") {
  std::vector<io::OutTensor> out;
  static const std::int64_t batches = 3;
  static const float one = 1;
  const auto add = [&](const auto& p) {
    if (p.name == without) return;
    out.push_back({p.name, io::Dtype::F32, std::vector<std::size_t>(p.shape.begin(), p.shape.end()), p.value});
    if (p.name.ends_with("running_var")) out.push_back({p.name.substr(0, p.name.size() - 11) + "num_batches_tracked", io::Dtype::I64, {}, &batches});
  };
  net.visit(add), net.visit_buffers(add);
  if (!extra.empty()) out.push_back({extra, io::Dtype::F32, {1}, &one});
  io::write_safetensors(path, out, {{"format", "pt"}});
}
}  // namespace

TEST_CASE("save and load: every parameter and buffer, bit for bit") {
  Folder f;
  Net a(1), b(2);
  CHECK(everything(a) != everything(b));
  io::save_model(f.path / "m.safetensors", a, {{"rnx.model", "small"}});
  io::load_model(f.path / "m.safetensors", b);
  CHECK(everything(a) == everything(b));
  CHECK(io::SafetensorsFile::read(f.path / "m.safetensors").metadata().at("rnx.model") == "small");
}

TEST_CASE("a PyTorch state dict loads; missing, unexpected and mis-shaped names are listed; nothing changes then") {
  Folder f;
  Net a(1), b(2);
  write_torch(f.path / "t.safetensors", a);
  io::load_model(f.path / "t.safetensors", b);
  CHECK(everything(a) == everything(b));

  Net c(3);
  const auto before = everything(c);
  const auto refused = [&](const char* fragment) {
    try {
      io::load_model(f.path / "t.safetensors", c);
      FAIL("loaded");
    } catch (const FileError& e) {
      CHECK_MESSAGE(std::string(e.what()).find(fragment) != std::string::npos, e.what());
      CHECK(e.exit_code() == 3);
    }
    CHECK(everything(c) == before);
  };
  write_torch(f.path / "t.safetensors", a, "layer2.0.bn1.weight");
  refused("missing 1 (layer2.0.bn1.weight)");
  write_torch(f.path / "t.safetensors", a, "", "layer5.0.conv1.weight");
  refused("unexpected 1 (layer5.0.conv1.weight)");
  Network<support::SmallResNet<>, Shape<3, 8, 8>> other(1);
  Network<models::ResNet20<>, Shape<3, 32, 32>> resnet(1);
  io::save_model(f.path / "t.safetensors", resnet);
  refused("of another shape");
  refused("unexpected");
}

TEST_CASE("the self-test on load notices a file whose weights are not those that were tested") {
  Folder f;
  Net a(1), b(2);
  io::save_model(f.path / "m.safetensors", a, {{"rnx.self_test.seed", "1"}, {"rnx.self_test.logits", "1 2 3 4 5 6 7 8 9 10"}});
  const auto before = everything(b);
  CHECK_THROWS_AS(io::load_model(f.path / "m.safetensors", b), FileError);
  CHECK(everything(b) == before);
}

TEST_CASE("a network with NaN is not saved over a good file") {
  Folder f;
  Net a(1), b(1);
  io::save_model(f.path / "m.safetensors", a);
  b.set("fc.bias", std::vector<float>(10, std::nanf("")));
  CHECK_THROWS_AS(io::save_model(f.path / "m.safetensors", b), NumericError);
  io::load_model(f.path / "m.safetensors", b);
  CHECK(everything(a) == everything(b));
}
