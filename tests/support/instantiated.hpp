// What the tests of many rooms share is compiled once, optimized, in instantiated.cpp; part of the
// precompiled headers. A kernel that is missing here works, but is compiled without optimization
// wherever it is used.
#pragma once

#include <rnx/rnx.hpp>

#ifndef RNX_TEST_INSTANTIATE
#define RNX_TEST_INSTANTIATE extern template
#endif

#define RNX_TEST_CLASS(name)                   \
  RNX_TEST_INSTANTIATE class name<float, cpu>; \
  RNX_TEST_INSTANTIATE class name<double, cpu>;
#define RNX_TEST_KERNEL(operation)                               \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::operation<float>>; \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::operation<double>>;
#define RNX_TEST_POINTWISE(function)                                                \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::pointwise_forward<function, float>>;  \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::pointwise_forward<function, double>>; \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::pointwise_backward<function, float>>; \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::pointwise_backward<function, double>>;
#define RNX_TEST_WEIGHT_MAP(map)                                                  \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::weight_bases<map, float>>;          \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::weight_bases<map, double>>;         \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::weight_bases_backward<map, float>>; \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::weight_bases_backward<map, double>>;
#define RNX_TEST_ACTIVATION_MAP(map)                                                  \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::activation_bases<map, float>>;          \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::activation_bases<map, double>>;         \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::activation_bases_backward<map, float>>; \
  RNX_TEST_INSTANTIATE struct kernel<cpu, op::activation_bases_backward<map, double>>;

namespace rnx::inline RNX_ISA {

RNX_TEST_CLASS(Parametrised)
RNX_TEST_CLASS(NetworkBase)
RNX_TEST_CLASS(Trace)
RNX_TEST_INSTANTIATE std::vector<float> initial_values(const NamedParameter&, std::uint64_t);
RNX_TEST_INSTANTIATE std::vector<double> initial_values(const NamedParameter&, std::uint64_t);

RNX_TEST_KERNEL(fill)
RNX_TEST_KERNEL(copy)
RNX_TEST_KERNEL(accumulate)
RNX_TEST_KERNEL(gather_rows)
RNX_TEST_KERNEL(scatter_rows)
RNX_TEST_KERNEL(add)
RNX_TEST_KERNEL(axpy)
RNX_TEST_KERNEL(scale_channels)
RNX_TEST_KERNEL(scale_channels_gate)
RNX_TEST_KERNEL(pad_shortcut)
RNX_TEST_KERNEL(pad_shortcut_backward)
RNX_TEST_KERNEL(attention_map)
RNX_TEST_KERNEL(attention_map_backward)
RNX_TEST_KERNEL(masked_relu_forward)
RNX_TEST_KERNEL(masked_relu_backward)
RNX_TEST_KERNEL(affine_channels)
RNX_TEST_KERNEL(dropout)
RNX_TEST_KERNEL(max_pool_forward)
RNX_TEST_KERNEL(max_pool_backward)
RNX_TEST_KERNEL(average_pool_forward)
RNX_TEST_KERNEL(average_pool_backward)
RNX_TEST_KERNEL(global_pool_forward)
RNX_TEST_KERNEL(global_pool_backward)
RNX_TEST_KERNEL(batch_norm_statistics)
RNX_TEST_KERNEL(batch_norm_normalize)
RNX_TEST_KERNEL(batch_norm_reduce)
RNX_TEST_KERNEL(batch_norm_backward)
RNX_TEST_KERNEL(batch_norm_update)
RNX_TEST_KERNEL(bias_backward)
RNX_TEST_KERNEL(conv2d_forward)
RNX_TEST_KERNEL(conv2d_backward_input)
RNX_TEST_KERNEL(fused)
RNX_TEST_KERNEL(conv2d_backward_weight)
RNX_TEST_KERNEL(depthwise_forward)
RNX_TEST_KERNEL(depthwise_backward_input)
RNX_TEST_KERNEL(depthwise_backward_weight)
RNX_TEST_KERNEL(pack_weights)
RNX_TEST_KERNEL(unpack_gradient)
RNX_TEST_KERNEL(pack_depthwise)
RNX_TEST_KERNEL(unpack_depthwise_gradient)
RNX_TEST_KERNEL(sum_bases)
RNX_TEST_KERNEL(pack_binary)
RNX_TEST_KERNEL(unpack_binary)
RNX_TEST_KERNEL(binary_convolution)
RNX_TEST_KERNEL(base_products)
RNX_TEST_KERNEL(cross_entropy)
RNX_TEST_KERNEL(kl_divergence)
RNX_TEST_KERNEL(row_distance)
RNX_TEST_KERNEL(logit_margin)
RNX_TEST_KERNEL(sgd_step)
RNX_TEST_KERNEL(adam_step)
RNX_TEST_KERNEL(ema_step)
RNX_TEST_KERNEL(square_sum)
RNX_TEST_KERNEL(clip_factor)
RNX_TEST_KERNEL(attack_start)
RNX_TEST_KERNEL(attack_step)
RNX_TEST_KERNEL(ball_start)
RNX_TEST_KERNEL(misclassified)
RNX_TEST_KERNEL(ranked_class)
RNX_TEST_KERNEL(auto_pgd_step)
RNX_TEST_KERNEL(auto_pgd_track)
RNX_TEST_KERNEL(auto_pgd_collect)
RNX_TEST_KERNEL(fab_begin)
RNX_TEST_KERNEL(fab_nearest)
RNX_TEST_KERNEL(fab_step)
RNX_TEST_KERNEL(fab_keep)
RNX_TEST_KERNEL(clean_beyond)
RNX_TEST_KERNEL(cw_begin)
RNX_TEST_KERNEL(cw_restart)
RNX_TEST_KERNEL(cw_image)
RNX_TEST_KERNEL(cw_step)
RNX_TEST_KERNEL(deep_fool_step)
RNX_TEST_KERNEL(deep_fool_image)
RNX_TEST_KERNEL(accumulate_direction)
RNX_TEST_KERNEL(square_start)
RNX_TEST_KERNEL(square_propose)
RNX_TEST_KERNEL(square_accept)
RNX_TEST_KERNEL(combine_logits)
RNX_TEST_KERNEL(combine_logits_backward)
RNX_TEST_KERNEL(keep_larger)
RNX_TEST_KERNEL(resize_map)
RNX_TEST_KERNEL(resize_map_backward)
RNX_TEST_KERNEL(normalize_rows)
RNX_TEST_KERNEL(normalize_rows_backward)
RNX_TEST_KERNEL(tutor_draw)
RNX_TEST_KERNEL(tutor_draw_backward)
RNX_TEST_KERNEL(tutor_distance)
RNX_TEST_KERNEL(tutor_value)
RNX_TEST_KERNEL(tutor_maps_backward)
RNX_TEST_KERNEL(tutor_weights_backward)
RNX_TEST_KERNEL(perturb)
RNX_TEST_KERNEL(perturbation_step)
RNX_TEST_KERNEL(gumbel_mask)
RNX_TEST_KERNEL(gumbel_mask_backward)
RNX_TEST_KERNEL(effective_width)
RNX_TEST_KERNEL(effective_cost)
RNX_TEST_KERNEL(effective_width_backward)
RNX_TEST_POINTWISE(functor::Relu)
RNX_TEST_POINTWISE(functor::Relu6)
RNX_TEST_POINTWISE(functor::HardSwish)
RNX_TEST_POINTWISE(functor::HardSigmoid)
RNX_TEST_WEIGHT_MAP(quant::Sign)
RNX_TEST_WEIGHT_MAP(quant::MultiBit<2>)
RNX_TEST_WEIGHT_MAP(quant::MultiBit<3>)
RNX_TEST_ACTIVATION_MAP(quant::SignActivation)
RNX_TEST_ACTIVATION_MAP(quant::MultiBitActivation<2>)
RNX_TEST_ACTIVATION_MAP(quant::MultiBitActivation<3>)

}  // namespace rnx::inline RNX_ISA
