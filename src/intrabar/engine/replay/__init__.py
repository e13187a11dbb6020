"""A run that is stepped, rewound, branched and watched."""
