"""What Grafana takes in its files; what it does not know, it passes over in silence.

Fields of the code that reads them: provisioning 11.1, data sources 13.1, settings of 13 (mid-2026).
"""

from typing import Any

type Schema = dict[str, Any]

TEXT, FLAG, NUMBER = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
UID = {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,40}$"}
SPAN = {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"}


def closed(required: str = "", **properties: Schema) -> Schema:
    """Describe a map that has these keys and no other."""
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": properties,
    }


def each(item: Schema) -> Schema:
    return {"type": "array", "items": item}


HTTP_SOURCE = {"keepCookies": each(TEXT), "timeout": NUMBER, "tlsSkipVerify": FLAG}
PROMETHEUS = closed(
    **HTTP_SOURCE,
    allowAsRecordingRulesTarget=FLAG,
    alertmanagerUid=UID,
    cacheLevel={"enum": ["Low", "Medium", "High", "None"]},
    customQueryParameters=TEXT,
    defaultEditor={"enum": ["code", "builder"]},
    disableMetricsLookup=FLAG,
    disableRecordingRules=FLAG,
    exemplarTraceIdDestinations=each(
        closed("name", name=TEXT, url=TEXT, urlDisplayLabel=TEXT, datasourceUid=UID)
    ),
    httpMethod={"enum": ["GET", "POST"]},
    incrementalQuerying=FLAG,
    incrementalQueryOverlapWindow=SPAN,
    manageAlerts=FLAG,
    prometheusType={"enum": ["Prometheus", "Cortex", "Mimir", "Thanos"]},
    prometheusVersion=TEXT,
    queryTimeout=SPAN,
    seriesEndpoint=FLAG,
    seriesLimit=NUMBER,
    timeInterval=SPAN,
)
POSTGRES = closed(
    "database sslmode",
    connMaxLifetime=NUMBER,
    database=TEXT,
    maxIdleConns=NUMBER,
    maxIdleConnsAuto=FLAG,
    maxOpenConns=NUMBER,
    postgresVersion={"type": "integer", "minimum": 900, "maximum": 9900},
    sslCertFile=TEXT,
    sslKeyFile=TEXT,
    sslmode={"enum": ["disable", "require", "verify-ca", "verify-full"]},
    sslRootCertFile=TEXT,
    timeInterval=SPAN,
    timescaledb=FLAG,
    tlsConfigurationMethod={"enum": ["file-path", "file-content"]},
)
"""`database` belongs here: beside `url` it is read only where this one is missing."""
ALERTMANAGER = closed(
    "implementation",
    **HTTP_SOURCE,
    handleGrafanaManagedAlerts=FLAG,
    implementation={"enum": ["prometheus", "mimir", "cortex"]},
)


def source(kind: str, settings: Schema, *secrets: str) -> Schema:
    """Describe a data source of one type."""
    return closed(
        "name type uid url jsonData",
        access={"enum": ["proxy", "direct"]},
        basicAuth=FLAG,
        basicAuthUser=TEXT,
        correlations={"type": "array"},
        database=TEXT,
        editable=FLAG,
        isDefault=FLAG,
        jsonData=settings,
        name=TEXT,
        orgId=NUMBER,
        orgName=TEXT,
        secureJsonData=closed(**dict.fromkeys(secrets, TEXT)),
        type={"const": kind},
        uid=UID,
        url=TEXT,
        user=TEXT,
        version=NUMBER,
        withCredentials=FLAG,
    )


DATA_SOURCES = closed(
    "apiVersion datasources",
    apiVersion={"const": 1},
    datasources=each(
        {
            "oneOf": [
                source("prometheus", PROMETHEUS, "basicAuthPassword"),
                source("postgres", POSTGRES, "password", "tlsCACert", "tlsClientCert", "tlsClientKey"),
                source("alertmanager", ALERTMANAGER, "basicAuthPassword"),
            ]
        }
    ),
    deleteDatasources=each(closed("name", name=TEXT, orgId=NUMBER, orgName=TEXT)),
    prune=FLAG,
)
PROVIDERS = closed(
    "apiVersion providers",
    apiVersion={"const": 1},
    providers=each(
        closed(
            "name options",
            allowUiUpdates=FLAG,
            disableDeletion=FLAG,
            editable=FLAG,
            folder=TEXT,
            folderUid=UID,
            name=TEXT,
            options=closed("path", path=TEXT, foldersFromFilesStructure=FLAG),
            orgId=NUMBER,
            type={"const": "file"},
            updateIntervalSeconds={"type": "integer", "minimum": 1},
        )
    ),
)

SETTINGS = {
    "paths": "data logs permitted_provisioning_paths plugins provisioning temp_data_lifetime",
    "server": "cdn_url cert_file cert_key cert_pass certs_watch_interval domain enable_gzip enforce_domain "
    "http_addr http_port min_tls_version protocol read_timeout root_url router_logging serve_from_sub_path "
    "socket socket_gid socket_mode static_root_path",
    "analytics": "application_insights_auto_route_tracking application_insights_connection_string "
    "application_insights_endpoint_url browser_console_reporter check_for_plugin_updates check_for_updates "
    "feedback_links_enabled google_analytics_4_id google_analytics_4_send_manual_page_views "
    "google_analytics_ua_id google_tag_manager_id intercom_secret reporting_distributor reporting_enabled "
    "reporting_static_context rudderstack_config_url rudderstack_data_plane_url "
    "rudderstack_integrations_url rudderstack_sdk_url rudderstack_v3_sdk_url rudderstack_write_key",
    "security": "actions_allow_post_url admin_email admin_password admin_user allow_embedding "
    "available_encryption_providers brute_force_login_protection_max_attempts content_security_policy "
    "content_security_policy_report_only content_security_policy_report_only_template "
    "content_security_policy_template cookie_samesite cookie_secure csrf_always_check "
    "data_source_proxy_whitelist disable_brute_force_login_protection disable_gravatar "
    "disable_initial_admin_creation disable_ip_address_login_protection disable_username_login_protection "
    "enable_frontend_sandbox_for_plugins encryption_provider secret_key strict_transport_security "
    "strict_transport_security_max_age_seconds strict_transport_security_preload "
    "strict_transport_security_subdomains x_content_type_options x_xss_protection",
    "snapshots": "enabled external_enabled external_snapshot_name external_snapshot_url public_mode",
    "dashboards": "dashboard_performance_metrics default_home_dashboard_path min_refresh_interval "
    "panel_series_limit versions_to_keep",
    "users": "allow_org_create allow_sign_up auto_assign_org auto_assign_org_id auto_assign_org_role "
    "default_language default_theme external_manage_info external_manage_link_name "
    "external_manage_link_url hidden_users home_page last_seen_update_interval login_default_org_id "
    "login_hint password_hint user_invite_max_lifetime_duration verification_email_max_lifetime_duration "
    "verify_email_enabled viewers_can_edit",
    "auth.anonymous": "device_limit enabled hide_version org_name org_role",
    "log": "filters level mode user_facing_default_error",
    "unified_alerting": "disabled_orgs enabled evaluation_timeout execute_alerts initialization_timeout "
    "max_attempts min_interval",
    "news": "news_feed_enabled",
    "metrics": "basic_auth_password basic_auth_username classic_http_histogram_enabled disable_total_stats "
    "enabled interval_seconds total_stats_collector_interval_seconds",
    "plugins": "allow_loading_unsigned_plugins app_tls_skip_verify_insecure disable_plugins enable_alpha "
    "forward_host_env_vars log_backend_requests plugin_admin_enabled plugin_admin_external_manage_enabled "
    "plugin_catalog_hidden_plugins plugin_catalog_url preinstall preinstall_auto_update "
    "preinstall_disabled preinstall_sync public_key_retrieval_disabled public_key_retrieval_on_startup "
    "update_strategy",
}
"""Keys by section; of `unified_alerting`, which is off, only some."""
KEYS = {(section, key) for section, keys in SETTINGS.items() for key in keys.split()}
