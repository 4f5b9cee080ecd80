// Samples chosen from another source: a part, a list, as many of each class. Selections of
// selections are sources, too.
#pragma once

#include <algorithm>
#include <optional>

#include "rnx/data/source.hpp"

namespace rnx::inline RNX_ISA::data {

/// The source that another one is made of: one that must outlive it, or one that it owns.
class Whole {
 public:
  Whole(const Source& source) : source_(std::shared_ptr<void>(), &source) {}
  Whole(const Source&&) = delete;  // it would be gone
  template <std::derived_from<Source> S>
  Whole(std::unique_ptr<S> source) : Whole(std::shared_ptr<const Source>(std::move(source))) {}
  Whole(std::shared_ptr<const Source> source) : source_(std::move(source)) {
    require(source_ != nullptr, "Whole: expected a source, found a null pointer");
  }
  const Source* operator->() const { return source_.get(); }
  const Source& operator*() const { return *source_; }

 private:
  std::shared_ptr<const Source> source_;
};

/// Sample i is number ids[i] of the whole, with its label, its origin and its random draws.
class Selection : public Source {
 public:
  std::size_t size() const override { return ids_.size(); }
  Dims dims() const override { return whole_->dims(); }
  int classes() const override { return whole_->classes(); }
  const std::vector<std::string>& class_names() const override { return whole_->class_names(); }
  int label(std::uint32_t id) const override { return whole_->label(at(id)); }
  std::size_t origin(std::uint32_t id) const override { return whole_->origin(at(id)); }
  void sample(std::uint32_t id, const Augment& augment, const Key& key, float* out) const override {
    whole_->sample(at(id), augment, key, out);
  }
  void views(std::uint32_t id, std::span<const Augment> augments, Key key,
             std::span<float* const> out) const override {
    whole_->views(at(id), augments, key, out);
  }
  std::string fingerprint() const override { return whole_->fingerprint() + "[" + mark_ + "]"; }

 protected:
  /// name: what errors begin with; mark: what tells this selection from others of the same whole.
  Selection(const char* name, Whole whole, std::vector<std::uint32_t> ids, std::string mark)
      : name_(name),
        whole_(std::move(whole)),
        ids_(std::move(ids)),
        mark_(std::move(mark)) {}

  /// Of a sample, in the whole. Errors: UsageError.
  std::uint32_t at(std::uint32_t id) const {
    require(id < ids_.size(), [&] {
      return std::string(name_) + ": expected ids below " + std::to_string(ids_.size()) +
             ", found " + std::to_string(id);
    });
    return ids_[id];
  }

 private:
  const char* name_;
  Whole whole_;
  std::vector<std::uint32_t> ids_;
  std::string mark_;
};

/// Samples first .. first + count of another source. Errors: UsageError (a part that is not there).
class Part final : public Selection {
 public:
  Part(const Whole& whole, std::size_t first, std::size_t count)
      : Selection("Part", whole, ids(*whole, first, count),
                  std::to_string(first) + ":" + std::to_string(first + count)) {}

 private:
  static std::vector<std::uint32_t> ids(const Source& whole, std::size_t first, std::size_t count) {
    require(first <= whole.size() && count <= whole.size() - first, [&] {
      return "Part: expected a part of " + std::to_string(whole.size()) + " samples, found " +
             std::to_string(first) + " to " + std::to_string(first + count);
    });
    std::vector<std::uint32_t> ids(count);
    std::iota(ids.begin(), ids.end(), std::uint32_t(first));
    return ids;
  }
};

/// The listed samples of another source, in the list's order. Errors: UsageError (one that is not
/// there, or is listed twice).
class Subset final : public Selection {
 public:
  Subset(const Whole& whole, const std::vector<std::uint32_t>& ids)
      : Selection("Subset", whole, checked(*whole, ids), mark(ids)) {}

 private:
  static std::vector<std::uint32_t> checked(const Source& whole,
                                            const std::vector<std::uint32_t>& ids) {
    std::vector<bool> seen(whole.size());
    for (const std::uint32_t id : ids) {
      require(id < whole.size(), [&] {
        return "Subset: expected ids below " + std::to_string(whole.size()) + ", found " +
               std::to_string(id);
      });
      require(!seen[id], [&] {
        return "Subset: expected each id once, found " + std::to_string(id) + " twice";
      });
      seen[id] = true;
    }
    return ids;
  }
  static std::string mark(const std::vector<std::uint32_t>& ids) {
    std::string text;
    for (const std::uint32_t id : ids) text += std::to_string(id) + ",";
    return "subset:" + std::to_string(ids.size()) + ":" + Checksum().add(text).text();
  }
};

/// n samples of each class of another source, in its order: the first ones, or those that are drawn
/// with a seed. Errors: UsageError (n below 1, a class with fewer samples, a sample without label).
class Balanced final : public Selection {
 public:
  Balanced(const Whole& whole, std::size_t n, std::optional<std::uint64_t> seed = {})
      : Selection("Balanced", whole, ids(*whole, n, seed),
                  "balanced:" + std::to_string(n) + (seed ? ":" + std::to_string(*seed) : "")) {}

 private:
  static std::vector<std::uint32_t> ids(const Source& whole, std::size_t n,
                                        std::optional<std::uint64_t> seed) {
    require(n > 0, "Balanced: expected at least 1 sample of each class, found 0");
    require(whole.size() <= UINT32_MAX, [&] {
      return "Balanced: expected fewer than 2^32 samples, found " + std::to_string(whole.size());
    });
    require_labels(whole, "Balanced");
    std::vector<std::uint32_t> order(whole.size());
    std::iota(order.begin(), order.end(), 0u);
    if (seed) order = detail::permutation(whole.size(), {*seed, Purpose::data});
    std::vector<std::size_t> count(std::size_t(whole.classes()));
    std::vector<std::uint32_t> ids;
    for (const std::uint32_t id : order)
      if (count[std::size_t(whole.label(id))]++ < n) ids.push_back(id);
    for (std::size_t c = 0; c < count.size(); ++c)
      require(count[c] >= n, [&] {
        return "Balanced: expected " + std::to_string(n) + " samples of each class, found " +
               std::to_string(count[c]) + " of class " + std::to_string(c) +
               (whole.class_names().empty() ? "" : " (" + whole.class_names()[c] + ")");
      });
    std::sort(ids.begin(), ids.end());
    return ids;
  }
};

}  // namespace rnx::inline RNX_ISA::data
