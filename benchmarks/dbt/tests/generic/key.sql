{# Some columns together are unique. #}
{% test key(model, columns) %}
SELECT {{ columns | join(', ') }} FROM {{ model }} GROUP BY ALL HAVING count(*) > 1
{% endtest %}
