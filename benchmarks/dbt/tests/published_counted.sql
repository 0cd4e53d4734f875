-- With what is added, a release has as many rows in force as the warehouse.
{% for table in ('decisions', 'earnings') %}
SELECT '{{ table }}' AS name WHERE (SELECT count(*) FROM {{ ref('published__' ~ table) }} WHERE known_to IS NULL)
    <> (SELECT count(*) FROM {{ ref(table) }} WHERE known_to IS NULL)
{{ 'UNION ALL' if not loop.last }}
{% endfor %}
