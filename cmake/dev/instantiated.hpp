// What tests, examples and executables share is compiled once, optimized, in instantiated.cpp; part
// of their precompiled headers. A kernel that is missing here works, but is compiled without
// optimization wherever it is used.
#pragma once

#include <rnx/rnx.hpp>

#ifndef RNX_DEV_INSTANTIATE
#define RNX_DEV_INSTANTIATE extern template
#endif

#define RNX_DEV_CLASS(name)                   \
  RNX_DEV_INSTANTIATE class name<float, cpu>; \
  RNX_DEV_INSTANTIATE class name<double, cpu>;
#define RNX_DEV_KERNEL(operation)                               \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::operation<float>>; \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::operation<double>>;
#define RNX_DEV_POINTWISE(function)                                                \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::pointwise_forward<function, float>>;  \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::pointwise_forward<function, double>>; \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::pointwise_backward<function, float>>; \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::pointwise_backward<function, double>>;
#define RNX_DEV_WEIGHT_MAP(map)                                                  \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::weight_bases<map, float>>;          \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::weight_bases<map, double>>;         \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::weight_bases_backward<map, float>>; \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::weight_bases_backward<map, double>>;
#define RNX_DEV_ACTIVATION_MAP(map)                                                  \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::activation_bases<map, float>>;          \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::activation_bases<map, double>>;         \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::activation_bases_backward<map, float>>; \
  RNX_DEV_INSTANTIATE struct kernel<cpu, op::activation_bases_backward<map, double>>;

namespace rnx::inline RNX_ISA {

RNX_DEV_CLASS(Parametrised)
RNX_DEV_CLASS(NetworkBase)
RNX_DEV_CLASS(Trace)
RNX_DEV_INSTANTIATE std::vector<float> initial_values(const NamedParameter&, std::uint64_t);
RNX_DEV_INSTANTIATE std::vector<double> initial_values(const NamedParameter&, std::uint64_t);

RNX_DEV_KERNEL(fill)
RNX_DEV_KERNEL(copy)
RNX_DEV_KERNEL(accumulate)
RNX_DEV_KERNEL(gather_rows)
RNX_DEV_KERNEL(scatter_rows)
RNX_DEV_KERNEL(add)
RNX_DEV_KERNEL(axpy)
RNX_DEV_KERNEL(scale_channels)
RNX_DEV_KERNEL(scale_channels_gate)
RNX_DEV_KERNEL(pad_shortcut)
RNX_DEV_KERNEL(pad_shortcut_backward)
RNX_DEV_KERNEL(attention_map)
RNX_DEV_KERNEL(attention_map_backward)
RNX_DEV_KERNEL(pack_mask)
RNX_DEV_KERNEL(masked_relu_forward)
RNX_DEV_KERNEL(masked_relu_backward)
RNX_DEV_KERNEL(affine_channels)
RNX_DEV_KERNEL(dropout)
RNX_DEV_KERNEL(max_pool_forward)
RNX_DEV_KERNEL(max_pool_backward)
RNX_DEV_KERNEL(average_pool_forward)
RNX_DEV_KERNEL(average_pool_backward)
RNX_DEV_KERNEL(global_pool_forward)
RNX_DEV_KERNEL(global_pool_backward)
RNX_DEV_KERNEL(batch_norm_statistics)
RNX_DEV_KERNEL(batch_norm_normalize)
RNX_DEV_KERNEL(batch_norm_reduce)
RNX_DEV_KERNEL(batch_norm_backward)
RNX_DEV_KERNEL(batch_norm_update)
RNX_DEV_KERNEL(bias_backward)
RNX_DEV_KERNEL(conv2d_forward)
RNX_DEV_KERNEL(conv2d_backward_input)
RNX_DEV_KERNEL(fused)
RNX_DEV_KERNEL(conv2d_backward_weight)
RNX_DEV_KERNEL(depthwise_forward)
RNX_DEV_KERNEL(depthwise_backward_input)
RNX_DEV_KERNEL(depthwise_backward_weight)
RNX_DEV_KERNEL(pack_weights)
RNX_DEV_KERNEL(unpack_gradient)
RNX_DEV_KERNEL(pack_depthwise)
RNX_DEV_KERNEL(unpack_depthwise_gradient)
RNX_DEV_KERNEL(sum_bases)
RNX_DEV_KERNEL(pack_binary)
RNX_DEV_KERNEL(unpack_binary)
RNX_DEV_KERNEL(binary_convolution)
RNX_DEV_KERNEL(base_products)
RNX_DEV_KERNEL(cross_entropy)
RNX_DEV_KERNEL(kl_divergence)
RNX_DEV_KERNEL(row_distance)
RNX_DEV_KERNEL(logit_margin)
RNX_DEV_KERNEL(sgd_step)
RNX_DEV_KERNEL(adam_step)
RNX_DEV_KERNEL(ema_step)
RNX_DEV_KERNEL(square_sum)
RNX_DEV_KERNEL(clip_factor)
RNX_DEV_KERNEL(attack_start)
RNX_DEV_KERNEL(attack_step)
RNX_DEV_KERNEL(ball_start)
RNX_DEV_KERNEL(misclassified)
RNX_DEV_KERNEL(ranked_class)
RNX_DEV_KERNEL(auto_pgd_step)
RNX_DEV_KERNEL(auto_pgd_track)
RNX_DEV_KERNEL(auto_pgd_collect)
RNX_DEV_KERNEL(fab_begin)
RNX_DEV_KERNEL(fab_nearest)
RNX_DEV_KERNEL(fab_step)
RNX_DEV_KERNEL(fab_keep)
RNX_DEV_KERNEL(clean_beyond)
RNX_DEV_KERNEL(cw_begin)
RNX_DEV_KERNEL(cw_restart)
RNX_DEV_KERNEL(cw_image)
RNX_DEV_KERNEL(cw_step)
RNX_DEV_KERNEL(deep_fool_step)
RNX_DEV_KERNEL(deep_fool_image)
RNX_DEV_KERNEL(accumulate_direction)
RNX_DEV_KERNEL(square_start)
RNX_DEV_KERNEL(square_propose)
RNX_DEV_KERNEL(square_accept)
RNX_DEV_KERNEL(combine_logits)
RNX_DEV_KERNEL(combine_logits_backward)
RNX_DEV_KERNEL(keep_larger)
RNX_DEV_KERNEL(resize_map)
RNX_DEV_KERNEL(resize_map_backward)
RNX_DEV_KERNEL(normalize_rows)
RNX_DEV_KERNEL(normalize_rows_backward)
RNX_DEV_KERNEL(tutor_draw)
RNX_DEV_KERNEL(tutor_draw_backward)
RNX_DEV_KERNEL(tutor_distance)
RNX_DEV_KERNEL(tutor_value)
RNX_DEV_KERNEL(tutor_maps_backward)
RNX_DEV_KERNEL(tutor_weights_backward)
RNX_DEV_KERNEL(perturb)
RNX_DEV_KERNEL(perturbation_step)
RNX_DEV_KERNEL(gumbel_mask)
RNX_DEV_KERNEL(gumbel_mask_backward)
RNX_DEV_KERNEL(effective_width)
RNX_DEV_KERNEL(effective_cost)
RNX_DEV_KERNEL(effective_width_backward)
RNX_DEV_POINTWISE(functor::Relu)
RNX_DEV_POINTWISE(functor::Relu6)
RNX_DEV_POINTWISE(functor::HardSwish)
RNX_DEV_POINTWISE(functor::HardSigmoid)
RNX_DEV_WEIGHT_MAP(quant::Sign)
RNX_DEV_WEIGHT_MAP(quant::MultiBit<2>)
RNX_DEV_WEIGHT_MAP(quant::MultiBit<3>)
RNX_DEV_WEIGHT_MAP(quant::MultiBit<at_run_time>)
RNX_DEV_ACTIVATION_MAP(quant::SignActivation)
RNX_DEV_ACTIVATION_MAP(quant::MultiBitActivation<2>)
RNX_DEV_ACTIVATION_MAP(quant::MultiBitActivation<3>)
RNX_DEV_ACTIVATION_MAP(quant::MultiBitActivation<at_run_time>)

}  // namespace rnx::inline RNX_ISA
