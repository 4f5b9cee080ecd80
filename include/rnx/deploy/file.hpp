// Files of packed networks: safetensors with one bit for each weight and base.
//   NAME.bits     U8 (bases, out, bytes): a filter's signs in the order (kh, kw, in), bit k % 8 of
//                 byte k / 8 is 1 where the sign is -1; the last byte is filled with 0
//   all else      F32, under the network's names
//   metadata      rnx.packed         1, the version of this form
//                 rnx.composition    checksum of what composition_text says
//                 rnx.checksum       of the tensors' bytes, in their order
//                 rnx.self_test...   as in files of networks, and two sums over an input gradient
#pragma once

#include "rnx/core/checksum.hpp"
#include "rnx/deploy/pack.hpp"

namespace rnx::inline RNX_ISA::deploy {

/// What a network computes, in words: operations, shapes, bits, names. Two compositions that
/// differ only in numbers that no shape shows (epsilon of batch norm, the surrogate of a sign) are
/// told apart by the self-test.
inline std::string composition_text(const Graph& graph) {
  std::string text = "input " + graph.input.text() + "\n";
  const auto add = [&](const auto&... words) { ((text += std::string(words) + " "), ...); };
  const auto numbers = [&](auto... n) { ((text += std::to_string(n) + " "), ...); };
  for (const Node& n : graph.nodes) {
    add(n.path, n.operation, n.in.text(), n.out.text());
    numbers(n.kernel_h, n.kernel_w, n.stride, n.pad, n.groups, n.weight_bits, n.weight_bases,
            n.activation_bits, int(n.bias));
    for (int in : n.inputs) numbers(in);
    for (const auto* list : {&n.parameters, &n.buffers})
      for (const ParameterInfo& p : *list) {
        add(p.name);
        for (int size : p.shape) numbers(size);
      }
    text.back() = '\n';
  }
  return text;
}
inline std::string composition_hash(const Graph& graph) {
  return Checksum().add(composition_text(graph)).text();
}

namespace detail {

inline geometry::BitWeights bit_weights(const Node& n) {
  return {n.weight_bases, n.out.c, n.in.c, n.kernel_h, n.kernel_w};
}
inline std::vector<std::size_t> bits_shape(const geometry::BitWeights& g) {
  return {std::size_t(g.bases), std::size_t(g.o), std::size_t(g.bits() + 7) / 8};
}

/// f(word, its bit, byte of the file, its bit) for each weight of each base.
template <class F> void each_bit(const geometry::BitWeights& g, F f) {
  const std::size_t row = bits_shape(g)[2];
  for (int m = 0; m < g.bases; ++m)
    for (int o = 0; o < g.o; ++o)
      for (long k = 0; k < g.bits(); ++k)
        f(g.word_of(m, o, k), k % 32, (std::size_t(m) * g.o + o) * row + k / 8, k % 8);
}
inline std::vector<std::uint8_t> file_bits(const geometry::BitWeights& g,
                                           const std::uint32_t* words) {
  std::vector<std::uint8_t> bytes(std::size_t(g.bases) * g.o * bits_shape(g)[2]);
  each_bit(g, [&](long word, int at, std::size_t byte, int to) {
    bytes[byte] = std::uint8_t(bytes[byte] | (words[word] >> at & 1) << to);
  });
  return bytes;
}
inline void read_bits(const geometry::BitWeights& g, std::span<const std::byte> bytes,
                      std::uint32_t* words) {
  std::memset(words, 0, std::size_t(g.words()) * sizeof *words);
  each_bit(g, [&](long word, int at, std::size_t byte, int from) {
    words[word] |= (std::to_integer<std::uint32_t>(bytes[byte]) >> from & 1) << at;
  });
}

/// Sums over the input gradient of the largest logit of the self-test's input: of its absolute
/// values, and of its values weighted by the input. Another surrogate has others.
template <class T> std::array<double, 2> gradient_sums(const NetworkBase<T, cpu>& net) {
  const Dims in = net.input_dims();
  Tensor<T, cpu> x(1, in), dx(1, in);
  const rng::Stream random(1, Purpose::test);
  for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = T(random.uniform(i));
  auto trace = net.make_trace({.use = Use::input_gradient, .capacity = 1, .eval_only = true});
  const View<const T, cpu> z = net.forward(trace, std::as_const(x).view(), {});
  const auto most = std::max_element(z.data, z.data + net.classes()) - z.data;
  for (int k = 0; k < net.classes(); ++k) trace.logits_gradient().data[k] = T(k == most);
  net.backward(trace, dx.view(), nullptr);
  std::array<double, 2> sums{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    sums[0] += std::abs(double(dx.data()[i]));
    sums[1] += double(dx.data()[i]) * double(x.data()[i]);
  }
  return sums;
}

/// Errors: FileError.
template <class T>
void test_gradient(const io::SafetensorsFile& file, const NetworkBase<T, cpu>& net) {
  const auto stored = file.metadata().find("rnx.self_test.gradient");
  std::string_view rest = stored == file.metadata().end() ? "" : std::string_view(stored->second);
  const std::array<double, 2> found = gradient_sums(net);
  bool passed = true;
  for (const double sum : found) {
    double expected = 0;
    passed = take_number(rest, expected) && passed &&
             std::abs(expected - sum) <= 1e-3 * std::abs(found[0]) + 1e-6;
  }
  require<FileError>(passed, [&] {
    return file.what() +
           ": the self-test failed: the input gradient of its stated input differs from that "
           "stored, so attacks on this network would be others";
  });
}

inline const std::string& metadata_of(const io::SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  require<FileError>(found != file.metadata().end(), [&] {
    return file.what() +
           ": expected the file of a packed network, as deploy::save writes it, found "
           "none: there is no " +
           key + " in its metadata";
  });
  return found->second;
}

/// Errors: FileError (no packed network, of another composition, damaged).
inline void require_form(const io::SafetensorsFile& file, const Graph& graph) {
  const std::string& form = metadata_of(file, "rnx.packed");
  require<FileError>(form == "1", [&] {
    return file.what() + ": expected a packed network of form 1, found form " + form;
  });
  const std::string &composition = metadata_of(file, "rnx.composition"),
                    expected = composition_hash(graph);
  require<FileError>(composition == expected, [&] {
    const auto model = file.metadata().find("rnx.model");
    return file.what() + ": a packed network of another composition" +
           (model == file.metadata().end() ? "" : " (" + model->second + ")") + ": expected " +
           expected + ", found " + composition;
  });
  Checksum bytes;
  for (const io::Entry& e : file.entries()) bytes.add(file.bytes(e).data(), file.bytes(e).size());
  require<FileError>(bytes.text() == metadata_of(file, "rnx.checksum"), [&] {
    return file.what() + ": the file is damaged: expected tensors with the checksum " +
           metadata_of(file, "rnx.checksum") + ", found " + bytes.text();
  });
}

/// Errors: FileError.
inline const io::Entry& entry_of(const io::SafetensorsFile& file, const NamedParameter& p,
                                 const std::vector<std::size_t>& shape, io::Dtype dtype) {
  const io::Entry* e = file.find(p.name);
  require<FileError>(e && e->dtype == dtype && e->shape == shape, [&] {
    return file.what() + ": expected a tensor " + io::in_quotes(p.name) + " of " +
           std::string(io::name_of(dtype)) + " " + io::detail::shape_text(shape) +
           (e ? ", found " + std::string(io::name_of(e->dtype)) + " " +
                    io::detail::shape_text(e->shape)
              : std::string(", found none"));
  });
  return *e;
}

}  // namespace detail

/// Writes a packed network, atomically. metadata: what the caller adds ("rnx.model": its name).
/// Errors: UsageError (no packed network), NumericError (a value that is not finite), FileError.
inline void save(const std::filesystem::path& path, const NetworkBase<float, cpu>& net,
                 io::Metadata metadata = {}) {
  const Graph& graph = net.graph();
  require(holds_bits(graph), "deploy::save: expected a packed network, found one of numbers");
  std::vector<std::vector<std::uint8_t>> bits;
  std::vector<io::OutTensor> out;
  const auto add_list = [&](const std::vector<NamedParameter>& list, const float* storage) {
    for (const NamedParameter& p : list) {
      const float* const values = storage + p.offset;
      if (p.kind == ParameterKind::bits) {
        const geometry::BitWeights g = detail::bit_weights(graph.nodes[p.node]);
        bits.push_back(detail::file_bits(g, words_at(values)));
        out.push_back({p.name, io::Dtype::U8, detail::bits_shape(g), bits.back().data()});
        continue;
      }
      detail::require_finite(p.name, values, p.count);
      out.push_back({p.name, io::Dtype::F32,
                     std::vector<std::size_t>(p.shape.begin(), p.shape.end()), values});
    }
  };
  add_list(graph.parameters, net.parameters());
  add_list(graph.buffers, net.buffers());
  Checksum bytes;
  for (const io::OutTensor& t : out) bytes.add(t.data, t.bytes());
  const std::array<double, 2> gradient = detail::gradient_sums(net);
  metadata.insert(
      {{"rnx.packed", "1"},
       {"rnx.composition", composition_hash(graph)},
       {"rnx.checksum", bytes.text()},
       {"rnx.self_test.seed", "1"},
       {"rnx.self_test.logits", io::self_test_text(net)},
       {"rnx.self_test.gradient", number_text(gradient[0]) + " " + number_text(gradient[1])}});
  io::write_safetensors(path, out, metadata);
}

/// The model that a packed network's file names. Errors: FileError.
inline std::string model_name(const std::filesystem::path& path) {
  const io::SafetensorsFile file = io::SafetensorsFile::read(path);
  detail::metadata_of(file, "rnx.packed");
  return detail::metadata_of(file, "rnx.model");
}

/// Reads a packed network's file into a packed network of the same composition: bits stay bits, no
/// weight becomes a number. Logits and the input gradient of a stated input are computed and
/// compared with those stored.
/// Errors: UsageError (the network is not packed), FileError (no packed network, one of another
/// composition, damage, values that are not finite, a self-test that fails); the network is
/// unchanged then.
inline io::Metadata load(const std::filesystem::path& path, NetworkBase<float, cpu>& net) {
  const Graph& graph = std::as_const(net).graph();
  require(holds_bits(graph), "deploy::load: expected a packed network, found one of numbers");
  const io::SafetensorsFile file = io::SafetensorsFile::read(path);
  detail::require_form(file, graph);
  const auto copy = net.clone();
  for (const auto* list : {&graph.parameters, &graph.buffers})
    for (const NamedParameter& p : *list) {
      if (p.kind == ParameterKind::bits) {
        const geometry::BitWeights g = detail::bit_weights(graph.nodes[p.node]);
        const io::Entry& e = detail::entry_of(file, p, detail::bits_shape(g), io::Dtype::U8);
        detail::read_bits(g, file.bytes(e), words_at(copy->mutable_buffers() + p.offset));
      } else {
        const std::vector<std::size_t> shape(p.shape.begin(), p.shape.end());
        const io::Entry& e = detail::entry_of(file, p, shape, io::Dtype::F32);
        const std::vector<float> values = file.values<float>(e);
        io::detail::require_sound(file, e, values);
        copy->set(p.name, values);
      }
    }
  const NetworkBase<float, cpu>& loaded = *copy;
  detail::metadata_of(file, "rnx.self_test.logits");
  io::detail::self_test(file, loaded);
  detail::test_gradient(file, loaded);
  net.assign_values(*copy);
  return file.metadata();
}

}  // namespace rnx::inline RNX_ISA::deploy
