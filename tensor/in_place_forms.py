"""The methods ``x.exp_()``, ``x.clamp_(0, 1)``, …: each op that gives entry for entry, in place."""

from __future__ import annotations

from . import choice, elementwise, overwrite
from .inplace import in_place


class InPlaceForms:
    """What ``Tensor`` inherits: ``name_`` keeps the result of ``name`` in the tensor itself."""

    __slots__ = ()

    fill_, zero_, copy_ = overwrite.fill_, overwrite.zero_, overwrite.copy_
    add_ = in_place(elementwise.add)
    sub_ = subtract_ = in_place(elementwise.sub)
    mul_ = multiply_ = in_place(elementwise.mul)
    div_ = divide_ = true_divide_ = in_place(elementwise.div)
    floor_divide_, remainder_ = in_place(elementwise.floor_divide), in_place(elementwise.remainder)
    fmod_, pow_ = in_place(elementwise.fmod), in_place(elementwise.pow)
    float_power_, lerp_ = in_place(elementwise.float_power), in_place(elementwise.lerp)
    addcmul_, addcdiv_ = in_place(elementwise.addcmul), in_place(elementwise.addcdiv)
    neg_ = negative_ = in_place(elementwise.neg)
    abs_ = absolute_ = in_place(elementwise.abs)
    sign_ = sgn_ = in_place(elementwise.sign)
    exp_, exp2_, expm1_ = (
        in_place(elementwise.exp), in_place(elementwise.exp2), in_place(elementwise.expm1),
    )  # fmt: skip
    log_, log1p_ = in_place(elementwise.log), in_place(elementwise.log1p)
    log2_, log10_ = in_place(elementwise.log2), in_place(elementwise.log10)
    sqrt_, rsqrt_ = in_place(elementwise.sqrt), in_place(elementwise.rsqrt)
    square_, reciprocal_ = in_place(elementwise.square), in_place(elementwise.reciprocal)
    sin_, cos_, tan_ = (
        in_place(elementwise.sin), in_place(elementwise.cos), in_place(elementwise.tan),
    )  # fmt: skip
    asin_ = arcsin_ = in_place(elementwise.asin)
    acos_ = arccos_ = in_place(elementwise.acos)
    atan_ = arctan_ = in_place(elementwise.atan)
    atan2_ = arctan2_ = in_place(elementwise.atan2)
    sinh_, cosh_, tanh_ = (
        in_place(elementwise.sinh), in_place(elementwise.cosh), in_place(elementwise.tanh),
    )  # fmt: skip
    asinh_ = arcsinh_ = in_place(elementwise.asinh)
    acosh_ = arccosh_ = in_place(elementwise.acosh)
    atanh_ = arctanh_ = in_place(elementwise.atanh)
    erf_, sigmoid_, relu_ = (
        in_place(elementwise.erf), in_place(elementwise.sigmoid), in_place(elementwise.relu),
    )  # fmt: skip
    hypot_, xlogy_, logit_ = (
        in_place(elementwise.hypot), in_place(elementwise.xlogy), in_place(elementwise.logit),
    )  # fmt: skip
    floor_, ceil_, round_ = (
        in_place(elementwise.floor), in_place(elementwise.ceil), in_place(elementwise.round),
    )  # fmt: skip
    trunc_ = fix_ = in_place(elementwise.trunc)
    frac_, nan_to_num_ = in_place(elementwise.frac), in_place(choice.nan_to_num)
    clamp_ = clip_ = in_place(choice.clamp)
    clamp_min_, clamp_max_ = in_place(choice.clamp_min), in_place(choice.clamp_max)
    eq_, ge_ = in_place(elementwise.eq), in_place(elementwise.ge)
    ne_ = not_equal_ = in_place(elementwise.ne)
    lt_ = less_ = in_place(elementwise.lt)
    le_ = less_equal_ = in_place(elementwise.le)
    gt_ = greater_ = in_place(elementwise.gt)
    greater_equal_ = ge_
    logical_and_, logical_or_ = in_place(elementwise.logical_and), in_place(elementwise.logical_or)
    logical_xor_, logical_not_ = (
        in_place(elementwise.logical_xor),
        in_place(elementwise.logical_not),
    )
    bitwise_and_, bitwise_or_ = in_place(elementwise.bitwise_and), in_place(elementwise.bitwise_or)
    bitwise_xor_, bitwise_not_ = (
        in_place(elementwise.bitwise_xor),
        in_place(elementwise.bitwise_not),
    )
    bitwise_left_shift_ = in_place(elementwise.bitwise_left_shift)
    bitwise_right_shift_ = in_place(elementwise.bitwise_right_shift)
