{# Every row meets a condition; a row for which it is neither true nor false does. #}
{% test meets(model, condition) %}
SELECT * FROM {{ model }} WHERE NOT coalesce({{ condition }}, true)
{% endtest %}
