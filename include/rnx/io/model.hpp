// Networks as safetensors files with PyTorch's names, both ways: a torch state dict loads, ours loads in torch with strict=True.
// The metadata carries the model's name and a self-test: the logits of one stated input, computed again on load.
#pragma once

#include <cmath>
#include <cstdio>

#include "rnx/io/safetensors.hpp"
#include "rnx/network.hpp"

namespace rnx::inline RNX_ABI::io {

/// Eval-mode logits of one sample of uniform noise with this seed.
template <class T, class Device>
std::vector<T> self_test_logits(const NetworkBase<T, Device>& net, std::uint64_t seed) {
  std::vector<T> noise(net.input_dims().count());
  const rng::Stream random(seed, Purpose::test);
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = T(random.uniform(i));
  const auto x = Tensor<T, Device>::from_nchw(1, net.input_dims(), noise);
  auto trace = net.make_trace({.use = Use::infer, .capacity = 1});
  return to_host(net.forward(trace, x.view(), {}));
}

/// Writes parameters, then buffers, atomically: an existing file is replaced only by a whole new one.
/// Errors: FileError (the disk), NumericError (a parameter that is not finite).
template <class T, class Device>
void save_model(const std::filesystem::path& path, const NetworkBase<T, Device>& net, Metadata metadata = {}) {
  std::vector<std::vector<T>> values;
  std::vector<OutTensor> out;
  const auto add = [&](const auto& p) {
    values.emplace_back(p.count);
    memory<Device>::download(values.back().data(), p.value, p.count * sizeof(T));
    for (const T v : values.back())
      require<NumericError>(std::isfinite(v), [&] { return "save: " + in_quotes(p.name) + " holds a value that is not finite; nothing was written"; });
    out.push_back({p.name, sizeof(T) == 8 ? Dtype::F64 : Dtype::F32, std::vector<std::size_t>(p.shape.begin(), p.shape.end()), nullptr});
  };
  net.visit(add);
  net.visit_buffers(add);
  for (std::size_t i = 0; i < out.size(); ++i) out[i].data = values[i].data();
  std::string logits;
  for (const T v : self_test_logits(net, 1)) {
    char text[32];
    std::snprintf(text, sizeof text, "%s%.9g", logits.empty() ? "" : " ", double(v));
    logits += text;
  }
  metadata.emplace("format", "pt");
  metadata.emplace("rnx.self_test.seed", "1");
  metadata.emplace("rnx.self_test.logits", logits);
  write_safetensors(path, out, metadata);
}

/// Reads every parameter and buffer of the network: strict. `num_batches_tracked` is ignored.
/// Errors: FileError that lists missing, unexpected and mis-shaped names, or says that the self-test failed; the network is unchanged then.
template <class T, class Device>
void load_model(const std::filesystem::path& path, NetworkBase<T, Device>& net) {
  const SafetensorsFile file = SafetensorsFile::read(path);
  const auto shape_text = [](const auto& shape) {
    std::string s = "(";
    for (const auto d : shape) s += (s.size() > 1 ? ", " : "") + std::to_string(d);
    return s + ")";
  };
  struct Listed {
    std::string names;
    int count = 0;
    void add(const std::string& name) {
      if (++count <= 4) names += (names.empty() ? "" : ", ") + name;
      else if (count == 5) names += ", ...";
    }
  } missing, unexpected, misshaped;
  std::map<std::string, std::vector<T>> values;
  const auto read = [&](const auto& p) {
    const Entry* e = file.find(p.name);
    if (!e) return missing.add(p.name);
    if (!std::equal(e->shape.begin(), e->shape.end(), p.shape.begin(), p.shape.end()))
      return misshaped.add(p.name + " is " + shape_text(e->shape) + " where " + shape_text(p.shape) + " is expected");
    values[p.name] = file.template values<T>(*e);
  };
  std::as_const(net).visit(read);
  std::as_const(net).visit_buffers(read);
  for (const Entry& e : file.entries()) {
    const bool counter = e.name.ends_with("num_batches_tracked");
    bool known = counter || values.contains(e.name);
    for (const auto* list : {&net.graph().parameters, &net.graph().buffers})
      for (const auto& p : *list) known = known || p.name == e.name;
    if (!known) unexpected.add(e.name);
  }
  if (missing.count + unexpected.count + misshaped.count) {
    std::string s = path.string() + ": these weights belong to another network;";
    const auto part = [&](const char* what, const Listed& l) { if (l.count) s += std::string(" ") + what + " " + std::to_string(l.count) + " (" + l.names + ");"; };
    part("missing", missing), part("unexpected", unexpected), part("of another shape", misshaped);
    s.back() = '.';
    throw FileError(s);
  }
  const auto previous = net.clone();
  for (const auto& [name, v] : values) net.set(name, v);
  const auto seed = file.metadata().find("rnx.self_test.seed"), stored = file.metadata().find("rnx.self_test.logits");
  if (seed == file.metadata().end() || stored == file.metadata().end()) return;
  const std::vector<T> logits = self_test_logits(static_cast<const NetworkBase<T, Device>&>(net), std::strtoull(seed->second.c_str(), nullptr, 10));
  const char* at = stored->second.c_str();
  double worst = 0, norm = 0;
  for (const T v : logits) {
    char* end = nullptr;
    const double expected = std::strtod(at, &end);
    worst = end == at || !std::isfinite(v) ? 1e30 : std::max(worst, std::abs(expected - double(v)));
    norm += expected * expected, at = end;
  }
  if (worst <= 1e-3 * std::sqrt(norm) + 1e-6) return;
  std::map<std::string, std::vector<T>> old;
  const auto restore = [&](const auto& p) {
    std::vector<T> v(p.count);
    memory<Device>::download(v.data(), p.value, p.count * sizeof(T));
    old[p.name] = std::move(v);
  };
  std::as_const(*previous).visit(restore);
  std::as_const(*previous).visit_buffers(restore);
  for (const auto& [name, v] : old) net.set(name, v);
  throw FileError(path.string() + ": the self-test failed: the logits of its stated input differ from those stored, so this network computes something else");
}

}  // namespace rnx::inline RNX_ABI::io
