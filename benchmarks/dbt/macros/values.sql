{% macro day() -%} DATE '{{ var("day") }}' {%- endmacro %}

{# Minor units as readers see them. #}
{% macro amount(minor, exponent='exponent') -%}
    ({{ minor }}::DECIMAL(14,0) * (CASE {{ exponent }} WHEN 2 THEN 0.010 WHEN 0 THEN 1.000 ELSE 0.001 END)::DECIMAL(4,3))::DECIMAL(18,3)
{%- endmacro %}
