/// A migration file of this folder, which the binary contains.
public struct SQLFile: Sendable {
    /// The name of the file, without `.sql`.
    public let name: String
    /// The bytes of the file.
    public let bytes: [UInt8]

    init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// The files of the three migration lines, in the order in which they are applied.
///
/// The names are written out, because the ledgers of databases contain them: a file that is renamed by accident does not compile.
public enum SQLFiles {
    /// The files for the database of every cluster, which holds its leases and fences.
    public static let cluster: [SQLFile] = [
        SQLFile("f0001_schema", PackageResources.f0001_schema_sql),
        SQLFile("f0002_leases", PackageResources.f0002_leases_sql),
        SQLFile("f0003_fences", PackageResources.f0003_fences_sql),
        SQLFile("f0004_timeline", PackageResources.f0004_timeline_sql),
        SQLFile("f0005_functions", PackageResources.f0005_functions_sql),
        SQLFile("f0006_limits", PackageResources.f0006_limits_sql),
        SQLFile("f0007_fences_of_several_keys", PackageResources.f0007_fences_of_several_keys_sql),
        SQLFile("f0008_fence_of_a_change", PackageResources.f0008_fence_of_a_change_sql),
        SQLFile("f0009_nodes", PackageResources.f0009_nodes_sql),
        SQLFile("f0010_limits_after_a_clock_step", PackageResources.f0010_limits_after_a_clock_step_sql),
    ]

    /// The files for the control database alone.
    public static let control: [SQLFile] = [
        SQLFile("c0001_schema", PackageResources.c0001_schema_sql),
        SQLFile("c0002_organizations", PackageResources.c0002_organizations_sql),
        SQLFile("c0003_clusters", PackageResources.c0003_clusters_sql),
        SQLFile("c0004_workspaces", PackageResources.c0004_workspaces_sql),
        SQLFile("c0005_seeds", PackageResources.c0005_seeds_sql),
        SQLFile("c0006_peppers", PackageResources.c0006_peppers_sql),
        SQLFile("c0007_root_tenant", PackageResources.c0007_root_tenant_sql),
        SQLFile("c0008_users", PackageResources.c0008_users_sql),
        SQLFile("c0009_members", PackageResources.c0009_members_sql),
        SQLFile("c0010_sessions", PackageResources.c0010_sessions_sql),
        SQLFile("c0011_session_issuers", PackageResources.c0011_session_issuers_sql),
        SQLFile("c0012_event_types", PackageResources.c0012_event_types_sql),
        SQLFile("c0013_event_types_valid", PackageResources.c0013_event_types_valid_sql),
        SQLFile("c0014_workspace_metadata", PackageResources.c0014_workspace_metadata_sql),
        SQLFile("c0015_workspace_metadata_valid", PackageResources.c0015_workspace_metadata_valid_sql),
        SQLFile("c0020_workspace_beginnings", PackageResources.c0020_workspace_beginnings_sql),
        SQLFile("c0021_workspace_databases", PackageResources.c0021_workspace_databases_sql),
        SQLFile("c0022_session_ends", PackageResources.c0022_session_ends_sql),
        SQLFile("c0023_session_ends_valid", PackageResources.c0023_session_ends_valid_sql),
        SQLFile("c0024_member_scopes", PackageResources.c0024_member_scopes_sql),
        SQLFile("c0025_session_issuer_audiences", PackageResources.c0025_session_issuer_audiences_sql),
        SQLFile("c0026_admin_key_owners", PackageResources.c0026_admin_key_owners_sql),
        SQLFile("c0027_admin_key_owners_valid", PackageResources.c0027_admin_key_owners_valid_sql),
        SQLFile("c0028_session_addresses", PackageResources.c0028_session_addresses_sql),
        SQLFile("c0029_webhooks", PackageResources.c0029_webhooks_sql),
        SQLFile("c0030_webhook_deliveries", PackageResources.c0030_webhook_deliveries_sql),
        SQLFile("c0031_event_sources", PackageResources.c0031_event_sources_sql),
        SQLFile("c0032_notices", PackageResources.c0032_notices_sql),
        SQLFile("c0033_notices_valid", PackageResources.c0033_notices_valid_sql),
        SQLFile("c0034_user_identities", PackageResources.c0034_user_identities_sql),
        SQLFile("c0035_user_identities_valid", PackageResources.c0035_user_identities_valid_sql),
        SQLFile("c0036_single_uses", PackageResources.c0036_single_uses_sql),
        SQLFile("c0037_restorations", PackageResources.c0037_restorations_sql),
        SQLFile("c0038_leaks", PackageResources.c0038_leaks_sql),
        SQLFile("c0039_leaks_valid", PackageResources.c0039_leaks_valid_sql),
        SQLFile("c0040_pending_leaks", PackageResources.c0040_pending_leaks_sql),
        SQLFile("c0041_held_by_operator", PackageResources.c0041_held_by_operator_sql),
        SQLFile("c0042_notice_times", PackageResources.c0042_notice_times_sql),
        SQLFile("c0043_delivery_updates", PackageResources.c0043_delivery_updates_sql),
        SQLFile("c0044_webhook_reasons", PackageResources.c0044_webhook_reasons_sql),
        SQLFile("c0045_webhook_ends", PackageResources.c0045_webhook_ends_sql),
        SQLFile("c0046_admin_key_holds", PackageResources.c0046_admin_key_holds_sql),
        SQLFile("c0047_pending_retirements", PackageResources.c0047_pending_retirements_sql),
    ]

    /// The files for the database of every workspace, and for the control database.
    public static let workspace: [SQLFile] = [
        SQLFile("w0001_schema", PackageResources.w0001_schema_sql),
        SQLFile("w0002_workspace", PackageResources.w0002_workspace_sql),
        SQLFile("w0003_service_keys", PackageResources.w0003_service_keys_sql),
        SQLFile("w0004_key_secrets", PackageResources.w0004_key_secrets_sql),
        SQLFile("w0005_key_usage", PackageResources.w0005_key_usage_sql),
        SQLFile("w0006_key_events", PackageResources.w0006_key_events_sql),
        SQLFile("w0007_idempotency", PackageResources.w0007_idempotency_sql),
        SQLFile("w0008_client_keys", PackageResources.w0008_client_keys_sql),
        SQLFile("w0009_client_key_secrets", PackageResources.w0009_client_key_secrets_sql),
        SQLFile("w0010_client_key_secrets_valid", PackageResources.w0010_client_key_secrets_valid_sql),
        SQLFile("w0011_key_limits_and_holds", PackageResources.w0011_key_limits_and_holds_sql),
        SQLFile("w0012_event_retention", PackageResources.w0012_event_retention_sql),
        SQLFile("w0013_client_key_secrets_index", PackageResources.w0013_client_key_secrets_index_sql),
        SQLFile("w0014_key_usage_minutes", PackageResources.w0014_key_usage_minutes_sql),
        SQLFile("w0020_key_orders", PackageResources.w0020_key_orders_sql),
        SQLFile("w0021_event_outbox", PackageResources.w0021_event_outbox_sql),
        SQLFile("w0022_notices", PackageResources.w0022_notices_sql),
        SQLFile("w0023_notices_valid", PackageResources.w0023_notices_valid_sql),
        SQLFile("w0024_key_addresses", PackageResources.w0024_key_addresses_sql),
        SQLFile("w0025_key_addresses_by_day", PackageResources.w0025_key_addresses_by_day_sql),
        SQLFile("w0031_character_pairs", PackageResources.w0031_character_pairs_sql),
        SQLFile("w0032_key_search", PackageResources.w0032_key_search_sql),
        SQLFile("w0033_key_states", PackageResources.w0033_key_states_sql),
        SQLFile("w0034_ending_secrets", PackageResources.w0034_ending_secrets_sql),
        SQLFile("w0035_last_use_order", PackageResources.w0035_last_use_order_sql),
        SQLFile("w0036_minutes_in_hours", PackageResources.w0036_minutes_in_hours_sql),
    ]
}
