// Networks as files: PyTorch's state dict loads, ours is one; weights of another network and broken
// files change nothing.
#include "support/batch.hpp"

#include <doctest/doctest.h>

#include <clocale>
#include <filesystem>
#include <locale>

#include <rnx/io.hpp>

using namespace rnx;
using Net = Network<support::SmallResNet<>, Shape<3, 8, 8>>;
template <int Classes>
using Plain =
    Network<Sequential<Named<"conv1", Conv<4, 3>>, GlobalAveragePool, Named<"fc", Linear<Classes>>>,
            Shape<3, 8, 8>>;
namespace {
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("rnx_model_test_" + std::to_string(std::uintptr_t(this)));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};
std::vector<float> everything(const NetworkBase<float>& net) {
  std::vector<float> v;
  const auto add = [&](const auto& p) { v.insert(v.end(), p.value, p.value + p.count); };
  net.visit(add);
  net.visit_buffers(add);
  return v;
}
/// A state dict as PyTorch users have it: float32, with num_batches_tracked.
void write_torch(const std::filesystem::path& path, const Net& net, const std::string& without = "",
                 const std::string& extra = "") {
  std::vector<io::OutTensor> out;
  static const std::int64_t batches = 3;
  static const float one = 1;
  const auto add = [&](const auto& p) {
    if (p.name == without) return;
    out.push_back({p.name, io::Dtype::F32, std::vector<std::size_t>(p.shape.begin(), p.shape.end()),
                   p.value});
    if (p.name.ends_with("running_var"))
      out.push_back({p.name.substr(0, p.name.size() - 11) + "num_batches_tracked",
                     io::Dtype::I64,
                     {},
                     &batches});
  };
  net.visit(add);
  net.visit_buffers(add);
  if (!extra.empty()) out.push_back({extra, io::Dtype::F32, {1}, &one});
  io::write_safetensors(path, out, {{"format", "pt"}});
}
/// The tensors of a network under `prefix`, with the metadata that save_model gives; `change` may
/// replace each tensor's values.
template <class Change>
void write_variant(const std::filesystem::path& path, const Net& net, const std::string& prefix,
                   Change change) {
  std::vector<io::OutTensor> out;
  std::vector<std::vector<float>> values;
  const auto add = [&](const auto& p) {
    values.emplace_back(p.value, p.value + p.count);
    if (!change(p.name, values.back())) return;
    out.push_back({prefix + p.name, io::Dtype::F32,
                   std::vector<std::size_t>(p.shape.begin(), p.shape.end()), nullptr});
    out.back().data = values.back().data();
  };
  net.visit(add);
  net.visit_buffers(add);
  io::write_safetensors(path, out, {{"format", "pt"}});
}

std::string refusal(const std::filesystem::path& path, Net& net,
                    const io::LoadOptions& options = {}) {
  const auto before = everything(net);
  try {
    io::load_model(path, net, options);
  } catch (const FileError& e) {
    CHECK(everything(net) == before);
    return e.what();
  }
  return "loaded";
}

/// Numbers with a decimal comma, in streams of C++ and, where such a locale is installed, in C.
struct CommaLocale {
  struct Punctuation : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  std::locale before = std::locale::global(std::locale(std::locale::classic(), new Punctuation));
  CommaLocale() {
    for (const char* name :
         {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "ru_RU.UTF-8"})
      if (std::setlocale(LC_NUMERIC, name)) return;
    MESSAGE("no locale with a decimal comma is installed: C's own functions are not tried");
  }
  ~CommaLocale() {
    std::locale::global(before);
    std::setlocale(LC_NUMERIC, "C");
  }
};
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

TEST_CASE(
    "a PyTorch state dict loads; missing, unexpected and mis-shaped names are listed; nothing "
    "changes then") {
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
  io::save_model(f.path / "m.safetensors", a,
                 {{"rnx.self_test.seed", "1"}, {"rnx.self_test.logits", "1 2 3 4 5 6 7 8 9 10"}});
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

TEST_CASE(
    "files are the same under a locale with a decimal comma, and a self-test that an old version "
    "wrote under one is named") {
  Folder f;
  Net a(1), b(2);
  io::save_model(f.path / "c.safetensors", a);
  {
    const CommaLocale comma;
    io::save_model(f.path / "comma.safetensors", a);
    CHECK(io::load_model(f.path / "c.safetensors", b).self_tested);
  }
  CHECK(io::read_file(f.path / "c.safetensors") == io::read_file(f.path / "comma.safetensors"));
  CHECK(io::load_model(f.path / "comma.safetensors", b).self_tested);
  io::save_model(f.path / "old.safetensors", a, {{"rnx.self_test.logits", "0,25 -1,5"}});
  CHECK(refusal(f.path / "old.safetensors", b) ==
        (f.path / "old.safetensors").string() +
            ": the logits of the self-test have decimal commas, as old versions wrote them under "
            "some locales: expected points, found "
            "\"0,25 -1,5\"; save the file again under LC_ALL=C with the version that wrote it");
}

TEST_CASE(
    "weights that a network cannot compute with are refused by the tensor's name, before anything "
    "changes") {
  Folder f;
  Net a(1), b(2);
  const auto path = f.path / "m.safetensors";
  const auto with = [&](const std::string& name, float value) {
    write_variant(path, a, "", [&](const std::string& n, std::vector<float>& v) {
      if (n == name) v.back() = value;
      return true;
    });
    const std::string text = refusal(path, b);
    const std::string begin = path.string() + ": tensor \"" + name + "\": expected ";
    return text.starts_with(begin) ? text.substr(begin.size()) : text;
  };
  CHECK(with("fc.bias", std::nanf("")) == "finite values, found nan at element 9");
  CHECK(with("conv1.weight", -INFINITY).starts_with("finite values, found -inf at element "));
  CHECK(
      with("bn1.running_mean", std::nanf("")).starts_with("finite values, found nan at element "));
  CHECK(with("bn1.running_var", -1e-3f)
            .starts_with("variances, which are not negative, found -0.00100000005 at element "));
  CHECK(with("normalize.std", 0) == "deviations above 0, found 0 at element 2");
  CHECK(with("bn1.running_var", 0) == "loaded");
}

TEST_CASE(
    "a prefix that all names have is taken off when what is left is the network's, and told") {
  Folder f;
  Net a(1), b(2);
  const auto path = f.path / "m.safetensors";
  for (const std::string prefix : {"module.", "model.", "_orig_mod.", "net.module._orig_mod."}) {
    write_variant(path, a, prefix,
                  [](const std::string&, const std::vector<float>&) { return true; });
    CHECK(io::load_model(path, b).prefix == prefix);
    CHECK(everything(a) == everything(b));
  }
  write_variant(path, a, "module.", [](const std::string& name, const std::vector<float>&) {
    return name != "fc.bias";
  });
  CHECK(refusal(path, b) ==
        path.string() + ": these weights belong to another network; missing 1 (fc.bias).");
  io::save_model(path, a);
  CHECK(io::load_model(path, b).prefix.empty());
}

TEST_CASE("weights without a normalisation are refused with the way, or leave the network's own") {
  Folder f;
  Net a(1), b(2);
  const auto path = f.path / "m.safetensors";
  const std::vector<float> mean{0.4f, 0.5f, 0.6f};
  b.set("normalize.mean", mean);
  write_variant(path, a, "module.", [](const std::string& name, const std::vector<float>&) {
    return !name.starts_with("normalize.");
  });
  CHECK(refusal(path, b).find("found neither, as in most weights from PyTorch: set them in the "
                              "network and load with LoadOptions::keep_normalization") !=
        std::string::npos);
  const io::Loaded loaded = io::load_model(path, b, {.keep_normalization = true});
  CHECK(loaded.kept_normalization);
  CHECK(loaded.prefix == "module.");
  std::vector<float> kept;
  std::as_const(b).visit_buffers([&](const auto& p) {
    if (p.name == "normalize.mean") kept.assign(p.value, p.value + p.count);
  });
  CHECK(kept == mean);
  // one of the two, or another name missing beside them, is no such file
  write_variant(path, a, "", [](const std::string& name, const std::vector<float>&) {
    return name != "normalize.mean";
  });
  CHECK(refusal(path, b, {.keep_normalization = true}).ends_with("missing 1 (normalize.mean)."));
  // a file that has one is taken as it is, whatever is allowed
  io::save_model(path, a);
  CHECK_FALSE(io::load_model(path, b, {.keep_normalization = true}).kept_normalization);
  CHECK(everything(a) == everything(b));
}

TEST_CASE(
    "half precisions pass the self-test of the weights that they were rounded from; exchanged "
    "tensors do not") {
  Folder f;
  Net a(1), b(2);
  io::save_model(f.path / "m.safetensors", a);
  const io::SafetensorsFile file = io::SafetensorsFile::read(f.path / "m.safetensors");
  const auto path = f.path / "half.safetensors";
  const auto write = [&](bool exchanged) {
    std::vector<io::OutTensor> out;
    std::vector<std::vector<std::uint16_t>> values;
    for (const io::Entry& e : file.entries()) {
      const bool other = exchanged && e.name.starts_with("layer1.0.conv");
      const std::string from = !other                                ? e.name
                               : e.name.find("conv1") != e.name.npos ? "layer1.0.conv2.weight"
                                                                     : "layer1.0.conv1.weight";
      values.emplace_back();
      for (const float v : file.values<float>(*file.find(from)))
        values.back().push_back(std::uint16_t((std::bit_cast<std::uint32_t>(v) + 0x8000u) >> 16));
      out.push_back({e.name, io::Dtype::BF16, e.shape, values.back().data()});
    }
    io::write_safetensors(path, out, file.metadata());
  };
  write(false);
  CHECK(io::load_model(path, b).self_tested);
  write(true);
  CHECK(refusal(path, b).find("the self-test failed") != std::string::npos);
}

TEST_CASE("files of other formats are named, with what to do") {
  Folder f;
  Net net(1);
  const auto found = [&](const std::string& bytes) {
    const auto path = f.path / "x.pt";
    io::write_file(path, bytes);
    const std::string text = refusal(path, net),
                      begin = path.string() + ": expected a safetensors file, found ";
    return text.starts_with(begin) ? text.substr(begin.size()) : text;
  };
  const std::string more(40, '\0');
  CHECK(found("PK\3\4" + more + "archive/data.pkl") ==
        "a zip archive, as torch.save writes .pt and .pth files: load it in Python (torch.load) "
        "and write its state dict "
        "with safetensors.torch.save_file");
  CHECK(found("\x80\2\x8A\nl\xFC\x9C\x46\xF9 j\xA8P\x19." + more).starts_with("a Python pickle"));
  CHECK(found("version https://git-lfs.github.com/spec/v1\noid sha256:0\n") ==
        "a Git LFS pointer, which stands for the file: git lfs pull fetches it");
  CHECK(found("<!DOCTYPE html><html></html>").starts_with("an HTML page"));
  CHECK(found("\x89HDF\r\n\x1A\n" + more).starts_with("an HDF5 file"));
  CHECK(found("\x08\x07\x12\x07pytorch" + more).starts_with("an ONNX model"));
  CHECK(found("\x93NUMPY\1" + more).starts_with("a .npy file"));
  CHECK(found("{\"weight_map\": {}}").starts_with("a JSON text"));
  CHECK(found("").ends_with("found 0 (an empty file)"));
}

TEST_CASE("what is excepted stays as it is, whatever the file has of it, and is told") {
  using Names = std::vector<std::string>;
  Folder f;
  const auto path = f.path / "m.safetensors";
  Net a(1), b(2);
  const std::vector<float> own = b.get("fc.weight").values;
  io::save_model(path, a);
  const io::Loaded loaded = io::load_model(path, b, {.except = "fc.*"});
  CHECK(loaded.skipped == Names{"fc.weight", "fc.bias"});
  CHECK(loaded.self_tested);  // with the file's last layer, which then was taken off again
  CHECK(b.get("fc.weight").values == own);
  CHECK(b.get("conv1.weight").values == a.get("conv1.weight").values);
  CHECK(b.get("bn1.running_var").values == a.get("bn1.running_var").values);

  // another number of classes: nothing can be tested
  const Plain<10> ten(1);
  Plain<12> twelve(3);
  const auto before = twelve.get("fc.bias").values;
  io::save_model(path, ten);
  CHECK_FALSE(io::load_model(path, twelve, {.except = {"fc.*"}}).self_tested);
  CHECK(twelve.get("fc.bias").values == before);
  CHECK(twelve.get("conv1.weight").values == ten.get("conv1.weight").values);

  // a file whose last layer has another name, behind a prefix
  write_variant(path, a, "module.",
                [](const std::string&, const std::vector<float>&) { return true; });
  const auto text = io::read_file(path);
  std::string renamed = text;
  for (std::size_t at; (at = renamed.find("module.fc.")) != renamed.npos;)
    renamed.replace(at, 10, "module.ab.");
  io::write_file(path, renamed);
  Net c(4);
  // "module." is a prefix only where every name behind it is known or excepted
  CHECK(refusal(path, c, {.except = "fc.*"}).find("unexpected") != std::string::npos);
  CHECK(io::load_model(path, c, {.except = {"fc.*", "ab.*"}}).skipped ==
        Names{"fc.weight", "fc.bias", "ab.weight", "ab.bias"});

  const auto unchanged = everything(c);
  CHECK_THROWS_WITH_AS(
      io::load_model(path, c, {.except = {"fc.*", "ab.*", "head.*"}}),
      (path.string() +
       ": neither the network nor the file has a name that matches the exception \"head.*\"")
          .c_str(),
      NameError);
  CHECK(everything(c) == unchanged);
}
