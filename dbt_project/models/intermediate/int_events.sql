{{ config(materialized='view') }}

with events as (

    {{ recognised_events(ref('stg_events')) | indent(4) }}

)

select * from events
