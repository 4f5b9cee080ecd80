// What is finished of an evaluation, as a file: the result of one attack on some samples in a row.
// Included by name: its JSON costs a translation unit more than networks do.
//
// A safetensors file: samples (n, 4) of label, clean, attacked, robust; origins (n); where they
// were kept examples and adversarials (k, pixels), logits (n, classes); counts, of passes and of
// the audit; sizes, its lengths. Metadata: rnx.evaluation (the version), key (of the evaluation),
// first, seconds; of a sequence the names of its members, in a row, and `members` (n): to which
// each sample fell.
#pragma once

#include <charconv>

#include "rnx/core/checksum.hpp"
#include "rnx/eval/options.hpp"
#include "rnx/io/safetensors.hpp"
#include "rnx/io/safetensors_write.hpp"

namespace rnx::inline RNX_ISA::eval {

/// The result of an attack on the samples from `first` on, and what it took.
struct Piece {
  std::string key{};      ///< tells evaluations apart: of weights, images, attack, seed, ...
  std::size_t first = 0;  ///< sample
  double seconds = 0;
  Accuracy accuracy{};
};

namespace detail {

inline constexpr const char* piece_version = "2";

/// An example's two images, one behind the other.
inline std::vector<float> pairs_of(const Accuracy& a) {
  std::vector<float> all;
  for (const Pair& p : a.examples) {
    all.insert(all.end(), p.clean.begin(), p.clean.end());
    all.insert(all.end(), p.adversarial.begin(), p.adversarial.end());
  }
  return all;
}

/// Reads the tensors of a piece, of lengths that it expects.
struct PieceReader {
  const io::SafetensorsFile& file;

  template <class T>
  std::vector<T> values(const char* name, std::size_t rows, std::size_t columns) const {
    const io::Entry* e = file.find(name);
    const std::vector<std::size_t> shape{rows, columns};
    require<FileError>(e && e->shape == shape, [&] {
      return file.what() + ": expected " + name + " of " + std::to_string(rows) + " x " +
             std::to_string(columns) + ", found " + (e ? "another shape" : "none");
    });
    return file.values<T>(*e);
  }
  /// (rows, columns) of a tensor that may be missing.
  std::pair<std::size_t, std::size_t> shape(const char* name) const {
    const io::Entry* e = file.find(name);
    if (!e) return {0, 0};
    require<FileError>(e->shape.size() == 2, [&] {
      return file.what() + ": expected " + std::string(name) + " to have two dimensions, found " +
             std::to_string(e->shape.size());
    });
    return {e->shape[0], e->shape[1]};
  }
  std::vector<float> values_or_none(const char* name, std::size_t rows, std::size_t columns) const {
    return file.find(name) ? values<float>(name, rows, columns) : std::vector<float>{};
  }
  const std::string& said(const char* key) const {
    const auto at = file.metadata().find(key);
    require<FileError>(at != file.metadata().end(), [&] {
      return file.what() + ": expected the state of an evaluation, found no " + key;
    });
    return at->second;
  }
  template <class Number> Number number(const char* key) const {
    const std::string& text = said(key);
    Number v{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    require<FileError>(error == std::errc{} && end == text.data() + text.size() && v >= 0, [&] {
      return file.what() + ": expected a number as " + key + ", found " + io::in_quotes(text);
    });
    return v;
  }
};

inline Audit audit_of(const std::vector<double>& v) {
  return {long(v[6]), v[7], v[8], v[9], long(v[10]), v[11], v[12], long(v[13])};
}
inline std::vector<double> counts_of(const Accuracy& a) {
  std::vector<double> v;
  for (const Passes& p : {a.predicting, a.attacking, a.verifying}) {
    v.push_back(double(p.forwards));
    v.push_back(double(p.backwards));
  }
  const Audit& u = a.audit;
  for (const double x : {double(u.images), u.linf, u.l2, u.l1, double(u.not_finite), u.least,
                         u.most, double(u.on_lattice)})
    v.push_back(x);
  return v;
}
inline constexpr std::size_t piece_counts = 14;

inline void read_samples(const PieceReader& read, Accuracy& a) {
  const std::size_t n = read.shape("samples").first;
  const auto samples = read.values<std::int32_t>("samples", n, 4);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t* s = samples.data() + 4 * i;
    require<FileError>(s[3] == 0 || (s[3] == 1 && s[0] == s[1] && s[0] == s[2]), [&] {
      return read.file.what() + ": sample " + std::to_string(i) + " contradicts itself";
    });
    a.samples.push_back({.label = s[0], .clean = s[1], .attacked = s[2], .robust = s[3] == 1});
  }
  for (const std::int64_t origin : read.values<std::int64_t>("origins", n, 1)) {
    require<FileError>(origin >= 0, [&] {
      return read.file.what() + ": expected numbers of samples, found a negative one";
    });
    a.origins.push_back(std::size_t(origin));
  }
}

inline void read_members(const PieceReader& read, Accuracy& a) {
  const std::string& names = read.said("members");
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t comma = std::min(names.find(',', at), names.size());
    a.members.push_back(names.substr(at, comma - at));
    at = comma + 1;
  }
  const auto members = read.values<std::int32_t>("members", a.samples.size(), 1);
  for (std::size_t i = 0; i < members.size(); ++i) {
    Sample& s = a.samples[i];
    const bool fell = s.clean == s.label && !s.robust, member = members[i] > 0;
    require<FileError>(
        fell == member && members[i] >= 0 && std::size_t(members[i]) <= a.members.size(),
        [&] { return read.file.what() + ": sample " + std::to_string(i) + " contradicts itself"; });
    s.member = members[i];
  }
}

}  // namespace detail

/// Writes a piece as a whole, beside and renamed. Errors: FileError.
inline void write_piece(const std::filesystem::path& path, const Piece& piece) {
  using io::Dtype;
  const Accuracy& a = piece.accuracy;
  const std::size_t n = a.samples.size();
  std::vector<std::int32_t> samples;
  for (const Sample& s : a.samples)
    samples.insert(samples.end(), {s.label, s.clean, s.attacked, s.robust});
  std::vector<std::int64_t> origins;
  for (std::size_t i = 0; i < n; ++i) origins.push_back(std::int64_t(a.origin(i)));
  const std::vector<double> counts = detail::counts_of(a);
  const std::vector<float> pairs = detail::pairs_of(a);
  std::vector<io::OutTensor> tensors{{"samples", Dtype::I32, {n, 4}, samples.data()},
                                     {"origins", Dtype::I64, {n, 1}, origins.data()},
                                     {"counts", Dtype::F64, {counts.size(), 1}, counts.data()}};
  const auto add = [&](const char* name, const std::vector<float>& values, std::size_t rows) {
    if (!values.empty())
      tensors.push_back({name, Dtype::F32, {rows, values.size() / rows}, values.data()});
  };
  add("examples", pairs, 2 * a.examples.size());
  add("adversarials", a.adversarials, n);
  add("logits", a.logits, n);
  std::vector<std::int32_t> members;
  for (const Sample& s : a.samples) members.push_back(s.member);
  std::string names;
  for (const std::string& name : a.members) names += (names.empty() ? "" : ",") + name;
  if (!a.members.empty()) tensors.push_back({"members", Dtype::I32, {n, 1}, members.data()});
  char seconds[40];
  *std::to_chars(seconds, seconds + sizeof seconds - 1, piece.seconds).ptr = 0;
  io::write_safetensors(path, tensors,
                        {{"rnx.evaluation", detail::piece_version},
                         {"key", piece.key},
                         {"first", std::to_string(piece.first)},
                         {"seconds", seconds},
                         {"members", names}});
}

/// Errors: FileError (no piece, or one that contradicts itself).
inline Piece read_piece(const io::SafetensorsFile& file) {
  const detail::PieceReader read{file};
  const std::string& version = read.said("rnx.evaluation");
  require<FileError>(version == detail::piece_version, [&] {
    return file.what() + ": expected the state of an evaluation of version " +
           detail::piece_version + ", found " + io::in_quotes(version);
  });
  Piece piece{.key = read.said("key"),
              .first = read.number<std::size_t>("first"),
              .seconds = read.number<double>("seconds")};
  Accuracy& a = piece.accuracy;
  detail::read_samples(read, a);
  const std::size_t n = a.samples.size();
  const auto counts = read.values<double>("counts", detail::piece_counts, 1);
  for (std::size_t k = 0; k < 7; ++k)
    require<FileError>(counts[k] >= 0 && counts[k] < 9e15, [&] {
      return file.what() + ": expected counts, found " + std::to_string(counts[k]);
    });
  for (const std::size_t k : {std::size_t(10), std::size_t(13)})
    require<FileError>(counts[k] >= 0 && counts[k] < 9e15,
                       [&] { return file.what() + ": expected counts in its audit"; });
  const auto passes = [&](int k) { return Passes{long(counts[k]), long(counts[k + 1])}; };
  a.predicting = passes(0);
  a.attacking = passes(2);
  a.verifying = passes(4);
  a.audit = detail::audit_of(counts);
  const std::size_t rows = read.shape("examples").first, pixels = read.shape("examples").second;
  const auto pairs = read.values_or_none("examples", rows, pixels);
  require<FileError>(rows % 2 == 0 && rows / 2 <= n,
                     [&] { return file.what() + ": expected pairs of images as examples"; });
  for (std::size_t k = 0; k < rows; k += 2) {
    const auto at = [&](std::size_t row) { return pairs.begin() + long(row * pixels); };
    a.examples.push_back({{at(k), at(k + 1)}, {at(k + 1), at(k + 2)}});
  }
  a.adversarials = read.values_or_none("adversarials", n, read.shape("adversarials").second);
  a.logits = read.values_or_none("logits", n, read.shape("logits").second);
  if (file.find("members")) detail::read_members(read, a);
  return piece;
}

}  // namespace rnx::inline RNX_ISA::eval
