{# Schemas as they are configured, and relations without the folder before `__`, which only keeps models' names apart. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {{ node.name.split('__') | last if node.resource_type == 'model' else node.name }}
{%- endmacro %}
